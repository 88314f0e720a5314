#include "migrate/backfill/columns.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/core.h>

namespace socialsync::migrate {
namespace {

using Kind = BackfillColumn::Kind;

constexpr BackfillColumn columns[] = {
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

}  // namespace

std::span<const BackfillColumn> backfill_columns() { return columns; }

const BackfillColumn* find_new_column(std::string_view name) {
  const auto found = std::ranges::find(columns, name, &BackfillColumn::name);
  return found == std::end(columns) || !found->is_new ? nullptr : found;
}

const BackfillColumn& backfill_column(std::string_view name) {
  const auto found = std::ranges::find(columns, name, &BackfillColumn::name);
  if (found == std::end(columns)) throw std::logic_error("no column to backfill: " + std::string(name));
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

}  // namespace socialsync::migrate
