#include "cli/accounts/import_file.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/accounts/fields.hpp"
#include "migrate/backfill/csv.hpp"

namespace socialsync::cli::accounts {
namespace {

struct Header {
  char delimiter = ',';
  std::vector<std::string> names;
};

std::string trimmed(std::string_view text) {
  constexpr const char* blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

bool is_word(const std::string& name) {
  return name == "platform" || name == "user" || name == "is_active" || find_field(name);
}

[[noreturn]] void refuse_name(const std::string& name) {
  std::vector<std::string_view> words = {"platform", "user", "is_active"};
  for (const Field& field : fields()) words.push_back(field.name);
  throw Failure(Exit::wrong_usage,
                fmt::format("'{}' in the header is not a column of an account: {} perhaps?", name,
                            nearest_word(name, words)));
}

Header read_header(migrate::CsvReader& reader) {
  const auto record = reader.next();
  if (!record) throw Failure(Exit::wrong_usage, "the file is empty");
  Header header{.delimiter = migrate::csv_delimiter(record->text), .names = {}};
  for (const std::string& field : migrate::csv_fields(record->text, header.delimiter)) {
    const std::string name = trimmed(field);
    if (!is_word(name)) refuse_name(name);
    if (std::ranges::find(header.names, name) != header.names.end())
      throw Failure(Exit::wrong_usage, fmt::format("the header names {} twice", name));
    header.names.push_back(name);
  }
  return header;
}

std::optional<bool> truth_of(const std::string& value) {
  for (const char* word : {"true", "t", "1", "yes"})
    if (value == word) return true;
  for (const char* word : {"false", "f", "0", "no"})
    if (value == word) return false;
  return std::nullopt;
}

Draft draft_of(const Header& header, const std::vector<std::string>& values, const std::string& user) {
  Draft draft;
  draft.user = user;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    const std::string& name = header.names[i];
    const std::string value = trimmed(values[i]);
    if (value.empty()) continue;
    if (name == "platform")
      draft.platform = platform_label(value).value_or("");
    else if (name == "user")
      draft.user = value;
    else if (name == "is_active")
      draft.is_active = truth_of(value);
    else
      draft.values[name] = value;
  }
  return draft;
}

// Else an account that is to be off would be on.
bool is_truth_wrong(const Header& header, const std::vector<std::string>& values) {
  const auto column = std::ranges::find(header.names, "is_active");
  if (column == header.names.end()) return false;
  const std::string value = trimmed(values[static_cast<std::size_t>(column - header.names.begin())]);
  return !value.empty() && !truth_of(value);
}

std::string name_of(const std::string& platform, const std::string& key) { return platform + " " + key; }

// Two labels of WhatsApp share their numbers.
std::string family(const std::string& platform) {
  return platform.starts_with("whatsapp") ? "whatsapp" : platform;
}

}  // namespace

ImportFile read_import(std::istream& csv, const std::string& user, bool any_event) {
  migrate::CsvReader reader(csv);
  const Header header = read_header(reader);
  ImportFile file;
  std::set<std::string> seen;
  while (const auto record = reader.next()) {
    const auto is_bad = [&](const std::string& problem) { file.bad.push_back({record->line, problem}); };
    const std::vector<std::string> values = migrate::csv_fields(record->text, header.delimiter);
    if (!record->is_closed || !record->is_whole || values.size() != header.names.size()) {
      is_bad(fmt::format("{} values, the header names {}", values.size(), header.names.size()));
      continue;
    }
    Draft draft = draft_of(header, values, user);
    std::vector<std::string> faults = faults_of(draft, true, any_event);
    if (is_truth_wrong(header, values)) faults.emplace_back("is_active is yes or no");
    if (!faults.empty())
      is_bad(fmt::format("{}", fmt::join(faults, "; ")));
    else if (!seen.insert(name_of(family(draft.platform), draft.key())).second)
      is_bad(fmt::format("{} is in the file already", draft.key()));
    else
      file.lines.push_back({record->line, std::move(draft)});
  }
  return file;
}

Known::Known(const std::vector<store::AccountRecord>& records) {
  for (const store::AccountRecord& record : records)
    ids_.emplace(name_of(family(record.platform), record.key()), record.id);
}

std::optional<Uuid> Known::find(const Draft& draft) const {
  const auto found = ids_.find(name_of(family(draft.platform), draft.key()));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace socialsync::cli::accounts
