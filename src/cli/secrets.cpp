#include "operate/secrets.hpp"

#include <array>
#include <memory>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "crypto/secret_box.hpp"
#include "process/interruption.hpp"

namespace socialsync::cli {
namespace secrets {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using operate::SecretColumnStatus;
using operate::SecretStatus;
using Counts = SecretColumnStatus::Counts;
using Kind = store::SecretChange::Kind;

constexpr const char* progress_unit = "accounts and endpoints";

// A subcommand that changes secrets.
struct Verb {
  Kind kind;
  const char* name;
  const char* description;
  const char* question;  // with the columns put in
  const char* done;
  const char* would;
};

constexpr std::array verbs = {
    Verb{Kind::seal, "encrypt", "Encrypt plaintext secrets",
         "Encrypt {} everywhere? SQL functions, and applications that read these columns, will see encrypted "
         "text.",
         "value(s) encrypted", "value(s) would be encrypted"},
    Verb{Kind::reseal, "rotate", "Encrypt secrets of older keys under the first key",
         "Encrypt {} everywhere under the first key? Every gateway must have it already.",
         "value(s) encrypted under the first key", "value(s) would be encrypted under the first key"},
    Verb{Kind::open, "decrypt", "Decrypt secrets to plaintext",
         "Decrypt {} everywhere? Anyone who can read the table can read them afterwards.",
         "value(s) decrypted", "value(s) would be decrypted"}};

struct NoOptions {};

struct ChangeOptions {
  const Verb* verb = nullptr;
  std::vector<std::string> columns;
  bool is_preview = false;
  bool yes = false;
};

Exit print_key() {
  fmt::print("{}\n", crypto::new_secret_key());
  return Exit::done;
}

json::object json_of(const SecretColumnStatus& column) {
  return {{"plain", column.plain},
          {"sealed", counts_of(column.encrypted)},
          {"unknown_key", counts_of(column.unknown_key)},
          {"tampered", column.tampered}};
}

void print_status_document(const SecretStatus& status, const std::vector<std::string>& keys) {
  json::object columns;
  for (const std::string& name : operate::secret_column_names()) columns[name] = json_of(status.at(name));
  print_json({{"keys", array_of(keys)}, {"columns", std::move(columns)}});
}

Counts total_by_key(const SecretStatus& status, Counts SecretColumnStatus::* by_key) {
  Counts total;
  for (const auto& [name, column] : status) {
    for (const auto& [key, count] : column.*by_key) total[key] += count;
  }
  return total;
}

void print_status_text(const SecretStatus& status, const std::vector<std::string>& keys) {
  fmt::print("{:<34}{:>12}{:>12}{:>14}\n", "column", "plaintext", "encrypted", "unreadable");
  for (const std::string& name : operate::secret_column_names()) {
    const SecretColumnStatus& column = status.at(name);
    fmt::print("{:<34}{:>12}{:>12}{:>14}\n", name, readable_count(column.plain),
               readable_count(column.encrypted_count()), readable_count(column.unreadable_count()));
  }
  for (const auto& [key, count] : total_by_key(status, &SecretColumnStatus::encrypted))
    fmt::print("under key {}{}: {}\n", key, key == keys.front() ? " (the first)" : "", readable_count(count));
  for (const auto& [key, count] : total_by_key(status, &SecretColumnStatus::unknown_key))
    fmt::print("{} under key {}, which is not in SOCIALSYNC_SECRETS_KEY\n",
               coloured(Colour::red, readable_count(count)), key);
  std::uint64_t tampered = 0;
  for (const auto& [name, column] : status) tampered += column.tampered;
  if (tampered > 0)
    fmt::print("{} altered, or copied from another row or column: set them anew\n",
               coloured(Colour::red, readable_count(tampered)));
}

asio::awaitable<Exit> print_status(const NoOptions&, Context& context) {
  const crypto::SecretKeys& keys = context.config.secrets.keys;
  ProgressLine progress;
  const auto show = [&progress](std::uint64_t rows) {
    progress.show({.what = "reading", .done = rows, .unit = progress_unit});
  };
  const SecretStatus status = co_await operate::secret_status(context.connection, keys, show);
  progress.clear();
  context.wants_json() ? print_status_document(status, keys.ids()) : print_status_text(status, keys.ids());
  bool any_unreadable = false;
  for (const auto& [name, column] : status) any_unreadable = any_unreadable || column.unreadable_count() > 0;
  co_return any_unreadable ? Exit::left_over : Exit::done;
}

void print_left(const operate::SecretsChanged& changed) {
  const store::SecretReport& report = changed.report;
  for (const auto& [column, found] : report.too_narrow)
    fmt::print(
        "{} of {} left in plaintext: encrypted, they have up to {} characters, more than the column can "
        "hold. "
        "Widen it and run this again:\n",
        readable_count(found.values), column, found.longest);
  for (const std::string& statement : changed.statements) fmt::print("  {};\n", statement);
  for (const auto& left : report.left) fmt::print("left: {}  {}: {}\n", left.id, left.column, left.why);
  if (report.left_count > report.left.size())
    fmt::print("left: {} more\n", readable_count(report.left_count - report.left.size()));
  if (report.busy > 0)
    fmt::print("{} value(s) were locked or were changed during the run: run it again for them\n",
               readable_count(report.busy));
  if (report.held_off) fmt::print("a migration or rollback is running: run this again after it\n");
  if (report.interrupted) fmt::print("interrupted: run it again to continue\n");
}

void print_change_text(const ChangeOptions& options, const operate::SecretsChanged& changed) {
  std::uint64_t total = 0;
  for (const auto& [column, count] : changed.report.changed) total += count;
  fmt::print("{} {}\n", readable_count(total), options.is_preview ? options.verb->would : options.verb->done);
  for (const auto& [column, count] : changed.report.changed)
    fmt::print("  {:<34}{:>12}\n", column, readable_count(count));
  print_left(changed);
}

void print_change_document(const ChangeOptions& options, const operate::SecretsChanged& changed) {
  const store::SecretReport& report = changed.report;
  print_json({{"command", options.verb->name},
              {"dry_run", options.is_preview},
              {"changed", counts_of(report.changed)},
              {"left", array_of(report.left,
                                [](const auto& left) {
                                  return json::object{
                                      {"id", left.id}, {"column", left.column}, {"why", left.why}};
                                })},
              {"left_count", report.left_count},
              {"busy", report.busy},
              {"widen", array_of(changed.statements)},
              {"held_off", report.held_off},
              {"interrupted", report.interrupted}});
}

Exit exit_of(const store::SecretReport& report) {
  if (report.interrupted) return Exit::interrupted;
  if (report.held_off) return Exit::other_run;
  return report.left_count + report.busy > 0 ? Exit::left_over : Exit::done;
}

// True for a preview, with --yes, or when the operator answers yes.
bool is_confirmed(const ChangeOptions& options) {
  if (options.is_preview) return true;
  const std::string columns = fmt::format("{}", fmt::join(options.columns, ", "));
  return confirmed(fmt::format(fmt::runtime(options.verb->question), columns), options.yes);
}

Exit change(const ChangeOptions& given, const Common& common) {
  const config::Config config = settings_of(common);
  if (config.secrets.keys.empty())
    throw Failure(Exit::wrong_usage,
                  "no key configured: set SOCIALSYNC_SECRETS_KEY or SOCIALSYNC_SECRETS_KEY_FILE; to generate "
                  "one: socialsync secrets key");
  ChangeOptions options = given;
  if (options.columns.empty()) options.columns = operate::secret_column_names();
  if (!is_confirmed(options)) return Exit::done;
  const process::Interruption interruption;  // stops after the current batch
  ProgressLine progress;
  const auto show = [&](std::uint64_t rows) {
    progress.show({.what = options.verb->name, .done = rows, .unit = progress_unit});
  };
  const store::SecretChange wanted{.kind = options.verb->kind,
                                   .keys = config.secrets.keys,
                                   .columns = options.columns,
                                   .is_preview = options.is_preview,
                                   .interrupted = [&] { return interruption.requested(); },
                                   .looked_at = show};
  operate::SecretsChanged changed;
  ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
    changed = co_await operate::change_secrets(connection, wanted);
  });
  progress.clear();
  common.wants_json() ? print_change_document(options, changed) : print_change_text(options, changed);
  return exit_of(changed.report);
}

void add_key(Command secrets) {
  Command command = secrets.add_subcommand("key", "Print a new random key");
  command.help({.notes =
                    "Store the key apart from backups of the database: without it, encrypted secrets cannot "
                    "be read.",
                .examples = {"(umask 077; socialsync secrets key > /etc/socialsync/secrets.key)"}});
  command.runs(print_key);
}

void add_status(Command secrets) {
  Command command = secrets.add_subcommand("status", "Count plaintext, encrypted and unreadable secrets");
  command.help({.examples = {"socialsync secrets status --output json"},
                .exits = {{Exit::left_over, "some values cannot be read"}}});
  on_database(command, std::make_shared<NoOptions>(), print_status);
}

void add_change(Command secrets, const Verb& verb) {
  Command command = secrets.add_subcommand(verb.name, verb.description);
  command.help(
      {.notes =
           "Works in short batches while gateways and the application run. A value that changes during the "
           "run is skipped. Safe to run again: a second run changes nothing, an interrupted run is "
           "continued.\n"
           "SQL functions (get_whatsapp_user_by_phone_number_id, …) and applications that read these columns "
           "see encrypted text, which only the key decrypts: --column limits the columns. Every gateway must "
           "have the key first.",
       .examples = {"socialsync secrets encrypt --column app_secret --column verify_token --yes",
                    "socialsync secrets rotate --dry-run", "socialsync secrets decrypt --yes"},
       .exits = {{Exit::done, "done, nothing to do, or not confirmed"},
                 {Exit::left_over, "some values were not changed; they are listed"},
                 {Exit::other_run},
                 {Exit::interrupted}}});
  const auto options = std::make_shared<ChangeOptions>();
  options->verb = &verb;
  const std::vector<std::string> columns = operate::secret_column_names();
  command
      .add_option("--column", options->columns,
                  fmt::format("Only this column; may be repeated: {}", fmt::join(columns, ", ")))
      .one_of(columns, false)
      .type_name("NAME");
  command.add_flag("--dry-run", options->is_preview, "Print the changes without making them");
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  with_common(command, options, change);
}

}  // namespace
}  // namespace secrets

void add_secrets(Command app) {
  Command command = app.add_subcommand("secrets", "Encrypt the secrets of accounts and endpoints");
  secrets::add_key(command);
  secrets::add_status(command);
  for (const secrets::Verb& verb : secrets::verbs) secrets::add_change(command, verb);
}

}  // namespace socialsync::cli
