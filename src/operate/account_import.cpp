#include "operate/account_import.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "migrate/backfill/csv.hpp"
#include "operate/accounts.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

struct ImportHeader {
  char delimiter = ',';
  std::vector<std::string> names;
};

std::string trimmed(std::string_view text) {
  constexpr const char* blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

bool is_column(const std::string& name) {
  return name == "platform" || name == "user" || name == "is_active" || find_account_field(name);
}

[[noreturn]] void refuse_name(const std::string& name) {
  std::vector<std::string_view> words = {"platform", "user", "is_active"};
  for (const AccountField& field : account_fields()) words.push_back(field.name);
  throw Failure(Exit::wrong_usage, fmt::format("'{}' in the header is not a column of an account; perhaps {}",
                                               name, nearest_word(name, words)));
}

ImportHeader read_header(migrate::CsvReader& reader) {
  const auto record = reader.next();
  if (!record) throw Failure(Exit::wrong_usage, "the file is empty");
  ImportHeader header{.delimiter = migrate::csv_delimiter(record->text), .names = {}};
  for (const std::string& field : migrate::csv_fields(record->text, header.delimiter)) {
    const std::string name = trimmed(field);
    if (!is_column(name)) refuse_name(name);
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

AccountDraft draft_of(const ImportHeader& header, const std::vector<std::string>& values,
                      const std::string& user) {
  AccountDraft draft;
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

// An unreadable is_active would leave an account active that is to be inactive.
bool is_truth_wrong(const ImportHeader& header, const std::vector<std::string>& values) {
  const auto column = std::ranges::find(header.names, "is_active");
  if (column == header.names.end()) return false;
  const std::string value = trimmed(values[static_cast<std::size_t>(column - header.names.begin())]);
  return !value.empty() && !truth_of(value);
}

std::string name_of(const std::string& platform, const std::string& key) { return platform + " " + key; }

// Both labels of WhatsApp share one space of phone numbers.
std::string family(const std::string& platform) {
  return platform.starts_with("whatsapp") ? "whatsapp" : platform;
}

// The existing accounts, by platform and key.
class ExistingAccounts {
 public:
  explicit ExistingAccounts(const std::vector<store::AccountRecord>& records) {
    for (const store::AccountRecord& record : records)
      ids_.emplace(name_of(family(record.platform), record.key()), record.id);
  }

  std::optional<Uuid> find(const AccountDraft& draft) const {
    const auto found = ids_.find(name_of(family(draft.platform), draft.key()));
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::unordered_map<std::string, Uuid> ids_;
};

std::set<std::string> new_owners(const AccountImport& file, const ExistingAccounts& existing) {
  std::set<std::string> names;
  for (const ImportLine& line : file.lines)
    if (!existing.find(line.draft)) names.insert(line.draft.user);
  return names;
}

void check_lines(const AccountImport& file, const ExistingAccounts& existing, const Owners& owners,
                 const ImportOptions& options, Imported& imported) {
  for (const ImportLine& line : file.lines) {
    const bool exists = existing.find(line.draft).has_value();
    if (exists && !options.updates)
      imported.bad.push_back({line.number, fmt::format("{} {} exists already; --update changes it",
                                                       line.draft.platform, line.draft.key())});
    ++(exists ? imported.changed : imported.added);
    if (!exists && !owners.ids.contains(line.draft.user))
      imported.bad.push_back({line.number, no_user(line.draft.user)});
  }
  std::ranges::sort(imported.bad, {}, &BadImportLine::number);
}

asio::awaitable<void> write_lines(pg::Connection& connection, const AccountImport& file,
                                  const ExistingAccounts& existing, Owners& owners,
                                  const config::SecretsAtRest& at_rest) {
  const std::vector<Uuid> ids = co_await store::new_ids(connection, file.lines.size());
  std::vector<store::AccountWrite> writes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const AccountDraft& draft = file.lines[i].draft;
    const std::optional<Uuid> id = existing.find(draft);
    writes.push_back(id ? changed_account_row(draft, *id, at_rest)
                        : new_account_row(draft, ids[i], owners.ids.at(draft.user), at_rest));
  }
  co_await save_accounts(connection, std::move(owners.made), std::move(writes));
}

}  // namespace

AccountImport read_accounts_csv(std::istream& csv, const std::string& user) {
  migrate::CsvReader reader(csv);
  const ImportHeader header = read_header(reader);
  AccountImport file;
  std::set<std::string> seen;
  while (const auto record = reader.next()) {
    const auto is_bad = [&](const std::string& problem) { file.bad.push_back({record->line, problem}); };
    const std::vector<std::string> values = migrate::csv_fields(record->text, header.delimiter);
    if (!record->is_closed || !record->is_whole || values.size() != header.names.size()) {
      is_bad(fmt::format("{} values, but the header names {} columns", values.size(), header.names.size()));
      continue;
    }
    AccountDraft draft = draft_of(header, values, user);
    std::vector<std::string> faults = faults_of_new(draft);
    if (is_truth_wrong(header, values)) faults.emplace_back("is_active is yes or no");
    if (!faults.empty())
      is_bad(fmt::format("{}", fmt::join(faults, "; ")));
    else if (!seen.insert(name_of(family(draft.platform), draft.key())).second)
      is_bad(fmt::format("{} is on an earlier line too", draft.key()));
    else
      file.lines.push_back({record->line, std::move(draft)});
  }
  return file;
}

asio::awaitable<Imported> import_accounts(pg::Connection& connection, const AccountImport& file,
                                          const ImportOptions& options,
                                          const config::SecretsAtRest& at_rest) {
  Imported imported{.added = 0, .changed = 0, .bad = file.bad};
  const store::AccountFilter all;
  const std::vector<store::AccountRecord> records = co_await store::find_accounts(connection, all);
  const ExistingAccounts existing(records);
  std::set<std::string> names = new_owners(file, existing);
  Owners owners = co_await owners_of(connection, std::move(names), options.creates_users);
  check_lines(file, existing, owners, options, imported);
  if (imported.bad.empty() && !options.is_preview)
    co_await write_lines(connection, file, existing, owners, at_rest);
  co_return imported;
}

}  // namespace socialsync::operate
