#include "migrate/backfill/columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <vector>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "migrate/backfill/csv.hpp"

namespace socialsync::migrate {
namespace {

using Kind = BackfillColumn::Kind;

constexpr BackfillColumn all_columns[] = {
    {.name = "phone_number_id", .is_unique = true},
    {.name = "page_id", .is_unique = true},
    {.name = "app_secret", .is_secret = true},
    {.name = "verify_token", .is_secret = true},
    {.name = "webhook_url"},
    {.name = "business_name"},
    {.name = "display_phone_number"},
    {.name = "webhook_events", .kind = Kind::events},
    {.name = "webhook_status", .kind = Kind::status},
    {.name = "webhook_metadata", .kind = Kind::json},
    {.name = "access_token", .is_secret = true, .is_new = false},
};

constexpr std::array<std::string_view, 3> account_names{"id", "account_id", "platform"};

std::string normalized(std::string_view name) {
  const std::size_t first = name.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string word(name.substr(first, name.find_last_not_of(" \t") - first + 1));
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

std::vector<std::string_view> allowed_names() {
  std::vector<std::string_view> names(account_names.begin(), account_names.end());
  for (const BackfillColumn& column : backfill_columns()) {
    if (column.is_new) names.push_back(column.name);
  }
  return names;
}

[[noreturn]] void refuse(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

[[noreturn]] void refuse_name(const std::string& name, std::size_t place) {
  if (name.empty()) refuse(fmt::format("column {} of the header has no name", place));
  const std::vector<std::string_view> names = allowed_names();
  refuse(fmt::format("'{}' in the header is not a column to fill: {} perhaps?", name,
                     nearest_word(name, names)));
}

const BackfillColumn* find_column(const std::string& name, Columns allowed) {
  return allowed == Columns::all ? &backfill_column(name) : find_new_column(name);
}

}  // namespace

std::span<const BackfillColumn> backfill_columns() { return all_columns; }

const BackfillColumn* find_new_column(std::string_view name) {
  const auto found = std::ranges::find(all_columns, name, &BackfillColumn::name);
  return found == std::end(all_columns) || !found->is_new ? nullptr : found;
}

const BackfillColumn& backfill_column(std::string_view name) {
  const auto found = std::ranges::find(all_columns, name, &BackfillColumn::name);
  if (found == std::end(all_columns)) throw std::logic_error("no column to backfill: " + std::string(name));
  return *found;
}

std::string typed_value(const BackfillColumn& column, const std::string& text) {
  const std::string value = fmt::format("nullif(btrim({}, E' \\t\\r\\n'), '')", text);
  if (column.kind == Kind::json) return value + "::jsonb";
  // {messages,"comments"} or messages, comments
  if (column.kind == Kind::events)
    return fmt::format("string_to_array(regexp_replace({}, '[{{}}\"\\s]', '', 'g'), ',')", value);
  return value;
}

std::string is_unset(const BackfillColumn& column) {
  switch (column.kind) {
    case Kind::status: return fmt::format("coalesce(a.{0}, '') IN ('', 'inactive')", column.name);
    case Kind::json: return fmt::format("coalesce(a.{0}, '{{}}') = '{{}}'", column.name);
    case Kind::events: return fmt::format("a.{0} IS NULL", column.name);
    case Kind::text: break;
  }
  return fmt::format("coalesce(a.{0}, '') = ''", column.name);
}

bool BackfillHeader::has(std::string_view name) const {
  return std::ranges::find(names, name) != names.end();
}

BackfillHeader read_backfill_header(std::string_view record, Columns allowed) {
  BackfillHeader header{.delimiter = csv_delimiter(record), .names = {}, .columns = {}};
  for (const std::string& field : csv_fields(record, header.delimiter)) {
    const std::string name = normalized(field);
    if (header.has(name)) refuse(fmt::format("the header names {} twice", name));
    header.names.push_back(name);
    if (std::ranges::find(account_names, name) != account_names.end()) continue;
    const BackfillColumn* column = find_column(name, allowed);
    if (!column) refuse_name(name, header.names.size());
    header.columns.push_back(column);
  }
  if (!header.has("id") && !header.has("account_id"))
    refuse("the header has neither id nor account_id, so no line says which account it is for");
  if (header.columns.empty()) refuse("the header names no column to fill, such as phone_number_id");
  return header;
}

}  // namespace socialsync::migrate
