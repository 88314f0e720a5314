#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/secret_input.hpp"
#include "cli/text/terminal.hpp"
#include "operate/account_import.hpp"
#include "operate/accounts.hpp"
#include "store/erasure.hpp"

namespace socialsync::cli::accounts {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using operate::AccountField;
using store::AccountRecord;

// A draft from the command line, which names files of secrets, not secrets.
struct DraftOptions {
  operate::AccountDraft draft;
  std::map<std::string, std::string> secret_files;  // by field name

  void read_secrets() {
    const auto is_input = [](const auto& file) { return file.second == "-"; };
    if (std::ranges::count_if(secret_files, is_input) > 1)
      throw Failure(Exit::wrong_usage, "only one secret can come from standard input");
    for (const auto& [name, path] : secret_files) draft.values[name] = read_secret(path, name);
  }
};

void refuse(const std::vector<std::string>& faults) {
  if (!faults.empty()) throw Failure(Exit::wrong_usage, fmt::format("{}", fmt::join(faults, "\n  ")));
}

struct AddOptions : DraftOptions {
  std::string platform;
  bool create_user = false;
  bool is_inactive = false;

  void check() {
    draft.platform = operate::platform_label(platform).value_or("");
    if (is_inactive) draft.is_active = false;
    read_secrets();
    refuse(faults_of_new(draft));
  }
};

struct SetOptions : DraftOptions {
  std::string name;

  void check() {
    read_secrets();
    refuse(faults_of_change(draft));
  }
};

struct ImportCommandOptions {
  std::string path;
  std::string user;
  bool yes = false;
  operate::ImportOptions import;
  operate::AccountImport file;

  void check() {
    if (path == "-") {
      file = operate::read_accounts_csv(std::cin, user);
      return;
    }
    std::ifstream input(path, std::ios::binary);
    if (!input) throw Failure(Exit::wrong_usage, fmt::format("cannot read {}", path));
    file = operate::read_accounts_csv(input, user);
  }
};

struct RemoveOptions {
  std::string name;
  bool yes = false;
};

std::string line_of(const AccountRecord& account) { return printable(operate::described(account)); }

void print_added(const AccountRecord& account) {
  fmt::print("added {}\n", line_of(account));
  if (!account.has_app_secret)
    fmt::print("  no app_secret of its own: META_APP_SECRET must sign its webhooks\n");
  if (!account.has_verify_token)
    fmt::print("  no verify_token of its own: the environment's answers Meta's handshake\n");
  fmt::print("  next: socialsync accounts check {}\n", to_string(account.id));
}

asio::awaitable<Exit> add(const AddOptions& options, Context& context) {
  const operate::AccountDraft& draft = options.draft;
  std::set<std::string> names = {draft.user};
  operate::Owners owners =
      co_await operate::owners_of(context.connection, std::move(names), options.create_user);
  const auto user = owners.ids.find(draft.user);
  if (user == owners.ids.end()) throw Failure(Exit::not_found, operate::no_user(draft.user));
  const std::vector<Uuid> ids = co_await store::new_ids(context.connection, 1);
  std::vector<store::AccountWrite> writes = {
      operate::new_account_row(draft, ids.front(), user->second, context.config.secrets)};
  co_await operate::save_accounts(context.connection, std::move(owners.made), std::move(writes));
  const AccountRecord account = co_await operate::find_account(context.connection, to_string(ids.front()));
  if (context.wants_json())
    print_json({{"added", json_of(account)}});
  else
    print_added(account);
  co_return Exit::done;
}

asio::awaitable<Exit> set(const SetOptions& options, Context& context) {
  const AccountRecord before = co_await operate::find_account(context.connection, options.name);
  std::vector<store::AccountWrite> writes = {
      operate::changed_account_row(options.draft, before.id, context.config.secrets)};
  std::vector<store::NewUser> no_users;
  const std::size_t written =
      co_await operate::save_accounts(context.connection, std::move(no_users), std::move(writes));
  if (written == 0)
    throw Failure(
        Exit::data_blocks,
        "the account was deleted, row-level security hides it, or its webhook_metadata is not a JSON "
        "object, so that no ids can be added");
  const AccountRecord account = co_await operate::find_account(context.connection, to_string(before.id));
  const std::vector<std::string> names = changed_fields(options.draft);
  if (context.wants_json())
    print_json({{"set", array_of(names)}, {"account", json_of(account)}});
  else
    fmt::print("set {} of {}\n", fmt::join(names, " "), line_of(account));
  co_return Exit::done;
}

void print_import(const operate::Imported& imported, bool is_preview) {
  constexpr std::size_t listed_max = 20;
  for (std::size_t i = 0; i < std::min(imported.bad.size(), listed_max); ++i)
    fmt::print("line {}: {}\n", imported.bad[i].number, printable(imported.bad[i].problem));
  if (imported.bad.size() > listed_max) fmt::print("… and {} more\n", imported.bad.size() - listed_max);
  if (!imported.bad.empty())
    fmt::print("nothing was written: {} bad line(s)\n", imported.bad.size());
  else
    fmt::print("{}added {}, changed {}\n", is_preview ? "would have " : "", readable_count(imported.added),
               readable_count(imported.changed));
}

asio::awaitable<Exit> import(const ImportCommandOptions& options, Context& context) {
  const bool is_preview = options.import.is_preview;
  const std::string question =
      fmt::format("Import {} account(s)?", readable_count(options.file.lines.size()));
  if (options.file.bad.empty() && !is_preview && !confirmed(question, options.yes)) co_return Exit::done;
  const operate::Imported imported = co_await operate::import_accounts(
      context.connection, options.file, options.import, context.config.secrets);
  if (context.wants_json())
    print_json({{"written", imported.bad.empty() && !is_preview},
                {"added", imported.added},
                {"changed", imported.changed},
                {"bad_lines", array_of(imported.bad, [](const operate::BadImportLine& line) {
                   return json::object{{"line", line.number}, {"problem", line.problem}};
                 })}});
  else
    print_import(imported, is_preview);
  co_return imported.bad.empty() ? Exit::done : Exit::data_blocks;
}

void print_removed(const AccountRecord& account, const store::RemovedAccount& removed) {
  fmt::print(
      "removed {}\n  {} events, {} quarantined rows ({}), {} identity keys, {} deliveries, {} attempts\n",
      line_of(account), readable_count(removed.logs), readable_count(removed.quarantined),
      readable_bytes(removed.quarantine_bytes), readable_count(removed.identity_keys),
      readable_count(removed.deliveries), readable_count(removed.attempts));
}

asio::awaitable<Exit> remove(const RemoveOptions& options, Context& context) {
  const AccountRecord account = co_await operate::find_account(context.connection, options.name);
  if (!confirmed(fmt::format("Remove {} and all of its events?", line_of(account)), options.yes))
    co_return Exit::done;
  const store::RemovedAccount removed = co_await store::remove_account(context.connection, account.id);
  if (!removed.found)
    throw Failure(Exit::data_blocks, "the account was deleted already, or row-level security hides it");
  if (context.wants_json())
    print_json({{"removed",
                 {{"account", json_of(account)},
                  {"events", removed.logs},
                  {"quarantined", removed.quarantined},
                  {"identity_keys", removed.identity_keys},
                  {"deliveries", removed.deliveries},
                  {"attempts", removed.attempts}}}});
  else
    print_removed(account, removed);
  co_return Exit::done;
}

const char* type_name_of(AccountField::Kind kind) {
  switch (kind) {
    case AccountField::Kind::digits: return "ID";
    case AccountField::Kind::number: return "NUMBER";
    case AccountField::Kind::url: return "URL";
    case AccountField::Kind::events:
    case AccountField::Kind::ids: return "LIST";
    case AccountField::Kind::secret: return "FILE";
    case AccountField::Kind::text: break;
  }
  return "TEXT";
}

// "--phone-number-id"; for a secret "--app-secret-file".
std::string option_of(const AccountField& field) {
  std::string option = "--" + std::string(field.name);
  std::ranges::replace(option, '_', '-');
  return field.kind == AccountField::Kind::secret ? option + "-file" : option;
}

void add_draft_options(Command command, const std::shared_ptr<DraftOptions>& options) {
  for (const AccountField& field : operate::account_fields()) {
    const std::string name(field.name);
    const bool is_secret = field.kind == AccountField::Kind::secret;
    const auto take = [options, name, is_secret](const std::string& value) {
      (is_secret ? options->secret_files : options->draft.values)[name] = value;
    };
    const std::string description =
        std::string(field.description) + (is_secret ? "; - is standard input" : "");
    command.add_option_function(option_of(field), take, description).type_name(type_name_of(field.kind));
  }
}

constexpr ExitNote refused_by_data{Exit::data_blocks, "account or user not found, or a value is taken"};

void add_add(Command accounts) {
  Command command = accounts.add_subcommand("add", "Add an account (takes effect immediately)");
  command.help({.notes = "Secrets are read from files or standard input, never from the command line.",
                .examples = {"socialsync accounts add whatsapp --phone-number-id 683178638221369 --user "
                             "owner@example.com --app-secret-file -",
                             "socialsync accounts add instagram --page-id 17841400000000000 --user "
                             "owner@example.com --create-user --webhook-events messages,comments"},
                .exits = {{Exit::data_blocks, "user not found, or a value is taken by another account"}}});
  const auto options = std::make_shared<AddOptions>();
  command.add_option("PLATFORM", options->platform, "whatsapp, whatsapp_business, instagram or messenger")
      .required()
      .one_of({"whatsapp", "whatsapp_business", "instagram", "messenger", "facebook"}, false);
  command.add_option("--user", options->draft.user, "Owner of the account: e-mail address or id")
      .required()
      .type_name("USER");
  command.add_flag("--create-user", options->create_user, "Create the user if the e-mail address is unknown");
  add_draft_options(command, options);
  command.add_flag("--inactive", options->is_inactive,
                   "Quarantine its events until the account is activated");
  on_database(command, options, add);
}

void add_set(Command accounts) {
  Command command = accounts.add_subcommand("set", "Change an account (takes effect immediately)");
  command.help({.notes = "To rotate a secret, set the list \"new,old\", and later \"new\".",
                .examples = {"socialsync accounts set 683178638221369 --app-secret-file - <secret",
                             "socialsync accounts set 683178638221369 --inactive",
                             "socialsync accounts set 683178638221369 --clear webhook_events"},
                .exits = {refused_by_data}});
  const auto options = std::make_shared<SetOptions>();
  operate::AccountDraft& draft = options->draft;
  add_account_name(command, options->name, true);
  add_draft_options(command, options);
  command.add_option("--clear", draft.cleared, "Remove these values: page_id, app_secret, webhook_events, …")
      .separated_by(',')
      .type_name("NAME");
  Option active = command.add_flag("--active", [&draft] { draft.is_active = true; }, "Activate the account");
  command
      .add_flag(
          "--inactive", [&draft] { draft.is_active = false; },
          "Deactivate the account: its events are quarantined")
      .excludes(active);
  on_database(command, options, set);
}

void add_import(Command accounts) {
  Command command = accounts.add_subcommand("import", "Add accounts from a CSV file: all of them, or none");
  command.help(
      {.notes =
           "The first line names the columns: platform, user, phone_number_id, page_id, is_active, and any "
           "field for which accounts add has an option. Secrets (app_secret, verify_token, access_token, "
           "refresh_token) are plaintext: protect the file. Separated by commas, semicolons or tabs; UTF-8.",
       .examples = {"socialsync accounts import tenants.csv --dry-run",
                    "socialsync accounts import - --update --yes <tenants.csv"},
       .exits = {{Exit::data_blocks, "bad lines, or a value is taken; nothing was written"}}});
  const auto options = std::make_shared<ImportCommandOptions>();
  command.add_option("FILE", options->path, "CSV file; - is standard input").required();
  command.add_option("--user", options->user, "Owner of accounts whose line names no user").type_name("USER");
  command.add_flag("--create-user", options->import.creates_users,
                   "Create users whose e-mail address is unknown");
  command.add_flag("--update", options->import.updates, "Change existing accounts");
  command.add_flag("--dry-run", options->import.is_preview, "Print the changes without making them");
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  on_database(command, options, import);
}

void add_remove(Command accounts) {
  Command command =
      accounts.add_subcommand("remove", "Delete an account, its events and its quarantined rows");
  command.help({.notes = "This cannot be undone; the user stays. To stop an account for a while: socialsync "
                         "accounts set ACCOUNT --inactive.",
                .examples = {"socialsync accounts remove 683178638221369 --yes"},
                .exits = {{Exit::done, "done, or not confirmed"},
                          {Exit::not_found, "account not found, or several match"}}});
  const auto options = std::make_shared<RemoveOptions>();
  add_account_name(command, options->name, true);
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  on_database(command, options, remove);
}

}  // namespace

void add_writers(Command accounts) {
  add_add(accounts);
  add_set(accounts);
  add_import(accounts);
  add_remove(accounts);
}

}  // namespace socialsync::cli::accounts
