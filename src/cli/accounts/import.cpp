#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/accounts/import_file.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::accounts {
namespace {

constexpr std::size_t told_max = 20;

struct ImportOptions : Options {
  std::string path;
  std::string user;
  bool create_user = false;
  bool update = false;
  bool any_event = false;
  bool dry_run = false;
  bool yes = false;
};

struct Imported {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::vector<BadLine> bad;
};

ImportFile read(const ImportOptions& options) {
  if (options.path == "-") return read_import(std::cin, options.user, options.any_event);
  std::ifstream file(options.path, std::ios::binary);
  if (!file) throw Failure(Exit::wrong_usage, fmt::format("cannot read {}", options.path));
  return read_import(file, options.user, options.any_event);
}

std::set<std::string> new_owners(const ImportFile& file, const Known& known) {
  std::set<std::string> names;
  for (const ImportLine& line : file.lines)
    if (!known.find(line.draft)) names.insert(line.draft.user);
  return names;
}

// Looks at every line before anything is written.
void look(const ImportOptions& options, const ImportFile& file, const Known& known, const Owners& owners,
          Imported& imported) {
  for (const ImportLine& line : file.lines) {
    const bool is_there = known.find(line.draft).has_value();
    if (is_there && !options.update)
      imported.bad.push_back({line.number, fmt::format("{} {} is there already (--update changes it)",
                                                       line.draft.platform, line.draft.key())});
    ++(is_there ? imported.changed : imported.added);
    if (!is_there && !owners.ids.contains(line.draft.user))
      imported.bad.push_back({line.number, no_user(line.draft.user)});
  }
  std::ranges::sort(imported.bad, {}, &BadLine::number);
}

boost::asio::awaitable<void> write_all(pg::Connection& connection, const ImportFile& file, const Known& known,
                                       Owners& owners, const config::SecretsAtRest& at_rest) {
  const std::vector<Uuid> ids = co_await store::new_ids(connection, file.lines.size());
  std::vector<store::AccountWrite> writes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    Draft draft = file.lines[i].draft;
    const std::optional<Uuid> there = known.find(draft);
    if (!there) complete(draft);
    writes.push_back(there ? write_of(draft, *there, std::nullopt, at_rest)
                           : write_of(draft, ids[i], owners.ids.at(draft.user), at_rest));
  }
  co_await write(connection, std::move(owners.made), std::move(writes));
}

boost::asio::awaitable<void> import_all(pg::Connection& connection, const ImportOptions& options,
                                        const ImportFile& file, const config::SecretsAtRest& at_rest,
                                        Imported& imported) {
  const store::AccountFilter all{.name = "", .platform = "", .user = "", .is_active = std::nullopt};
  const std::vector<store::AccountRecord> records = co_await store::find_accounts(connection, all);
  const Known known(records);
  Owners owners = co_await owners_of(connection, new_owners(file, known), options.create_user);
  look(options, file, known, owners, imported);
  if (imported.bad.empty() && !options.dry_run) co_await write_all(connection, file, known, owners, at_rest);
}

int report(const ImportOptions& options, const Imported& imported) {
  const Exit outcome = imported.bad.empty() ? Exit::done : Exit::data_blocks;
  if (options.common.output == Output::json) {
    boost::json::array bad;
    for (const BadLine& line : imported.bad)
      bad.push_back({{"line", line.number}, {"problem", line.problem}});
    const bool written = imported.bad.empty() && !options.dry_run;
    print_json(
        {{"written", written}, {"added", imported.added}, {"changed", imported.changed}, {"bad_lines", bad}});
    return static_cast<int>(outcome);
  }
  for (std::size_t i = 0; i < std::min(imported.bad.size(), told_max); ++i)
    fmt::print("line {}: {}\n", imported.bad[i].number, printable(imported.bad[i].problem));
  if (imported.bad.size() > told_max) fmt::print("… and {} more\n", imported.bad.size() - told_max);
  if (!imported.bad.empty()) fmt::print("nothing was written: {} bad line(s)\n", imported.bad.size());
  if (imported.bad.empty())
    fmt::print("{}added {}, changed {}\n", options.dry_run ? "would have " : "",
               readable_count(imported.added), readable_count(imported.changed));
  return static_cast<int>(outcome);
}

int import(const ImportOptions& options) {
  const ImportFile file = read(options);
  Imported imported{.added = 0, .changed = 0, .bad = file.bad};
  const config::Config settings = settings_of(options.common);
  const bool asks = imported.bad.empty() && !options.dry_run;
  if (asks &&
      !confirmed(fmt::format("Import {} account(s)?", readable_count(file.lines.size())), options.yes))
    return static_cast<int>(Exit::done);
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    co_await import_all(connection, options, file, settings.secrets, imported);
  });
  return report(options, imported);
}

}  // namespace

void add_import(Command accounts) {
  Command command = accounts.add_subcommand("import", "Add accounts from a CSV file: all of them, or none");
  command.footer(
      std::string(
          "The first line names the columns: platform, user, phone_number_id, page_id, and any other that\n"
          "accounts add has an option for (app_secret, verify_token, access_token and refresh_token as\n"
          "they are: keep the file to yourself). Commas, semicolons or tabulators; UTF-8.\n"
          "Examples:\n"
          "  socialsync accounts import tenants.csv --dry-run\n"
          "  socialsync accounts import - --update --yes <tenants.csv") +
      exit_codes);
  const auto options = std::make_shared<ImportOptions>();
  command.add_option("FILE", options->path, "A CSV file; - is standard input").required();
  command.add_option("--user", options->user, "Whose they are, where the file does not say")
      .type_name("USER");
  command.add_flag("--create-user", options->create_user, "Make users that there are not");
  command.add_flag("--update", options->update, "Change accounts that are there already");
  command.add_flag("--any-event", options->any_event, "Take webhook_events that this version does not know");
  command.add_flag("--dry-run", options->dry_run, "Say what would be done, and do nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return import(*options); }); });
}

}  // namespace socialsync::cli::accounts
