#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/exit_code.hpp"
#include "cli/secrets.hpp"
#include "cli/text/terminal.hpp"
#include "process/interruption.hpp"
#include "store/secrets.hpp"

namespace socialsync::cli::secrets {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Kind = store::SecretChange::Kind;

// One subcommand.
struct Verb {
  Kind kind;
  const char* name;
  const char* description;
  const char* question;  // asked with the columns put in
  const char* done;
  const char* would;
};

constexpr std::array verbs = {
    Verb{Kind::seal, "encrypt", "Encrypt what is plain",
         "Encrypt {} everywhere? SQL functions, and applications that read these columns, will see "
         "sealed text.",
         "value(s) sealed", "value(s) would be sealed"},
    Verb{Kind::reseal, "rotate", "Encrypt what is under an older key under the first one",
         "Encrypt {} everywhere under the first key? Every gateway must have it already.",
         "value(s) sealed under the first key", "value(s) would be sealed under the first key"},
    Verb{Kind::open, "decrypt", "Make all plain again",
         "Decrypt {} everywhere? Whoever reads the table reads them then.", "value(s) made plain",
         "value(s) would be made plain"}};

struct Options {
  std::vector<std::string> columns;
  bool dry_run = false;
  bool yes = false;
  std::string output = "text";
};

struct Story {
  store::SecretReport report;
  std::vector<std::string> statements;  // that widen columns that are too narrow
};

// Whole thousands, so that longer values fit as well.
std::size_t width_for(std::size_t longest) { return (longest + 999) / 1000 * 1000; }

asio::awaitable<Story> change(pg::Connection& connection, const store::SecretChange& wanted) {
  Story story;
  story.report = co_await store::change_secrets(connection, wanted);
  for (const auto& [column, found] : story.report.too_narrow) {
    const std::vector<std::string> statements =
        co_await store::widening_statements(connection, column, width_for(found.longest));
    story.statements.insert(story.statements.end(), statements.begin(), statements.end());
  }
  co_return story;
}

void print_left(const Story& story) {
  const store::SecretReport& report = story.report;
  for (const auto& [column, found] : report.too_narrow)
    fmt::print(
        "{} of {} left plain: sealed, they are up to {} characters long, and the column is narrower. Widen "
        "it "
        "and run this again:\n",
        readable_count(found.values), column, found.longest);
  for (const std::string& statement : story.statements) fmt::print("  {};\n", statement);
  for (const auto& left : report.left) fmt::print("left: {}  {}: {}\n", left.id, left.column, left.why);
  if (report.left_count > report.left.size())
    fmt::print("left: {} more\n", readable_count(report.left_count - report.left.size()));
  if (report.busy > 0)
    fmt::print("{} value(s) were locked or changed meanwhile: run it again for them\n",
               readable_count(report.busy));
  if (report.held_off)
    fmt::print("a migration or rollback is changing this database now: let it end, then run this again\n");
  if (report.interrupted) fmt::print("interrupted: run it again to continue\n");
}

void print_text(const Verb& verb, const Options& options, const Story& story) {
  std::uint64_t all = 0;
  for (const auto& [column, count] : story.report.changed) all += count;
  fmt::print("{} {}\n", readable_count(all), options.dry_run ? verb.would : verb.done);
  for (const auto& [column, count] : story.report.changed)
    fmt::print("  {:<34}{:>12}\n", column, readable_count(count));
  print_left(story);
}

void print_json(const Verb& verb, const Options& options, const Story& story) {
  const store::SecretReport& report = story.report;
  json::object changed;
  for (const auto& [column, count] : report.changed) changed[column] = count;
  json::array left;
  for (const auto& one : report.left)
    left.push_back({{"id", one.id}, {"column", one.column}, {"why", one.why}});
  json::array statements;
  for (const std::string& statement : story.statements) statements.emplace_back(statement);
  const json::object document{{"v", 1},
                              {"command", verb.name},
                              {"dry_run", options.dry_run},
                              {"changed", std::move(changed)},
                              {"left", std::move(left)},
                              {"left_count", report.left_count},
                              {"busy", report.busy},
                              {"widen", std::move(statements)},
                              {"held_off", report.held_off},
                              {"interrupted", report.interrupted}};
  fmt::print("{}\n", json::serialize(document));
}

int exit_code_of(const store::SecretReport& report) {
  if (report.interrupted) return ExitCode::interrupted;
  if (report.held_off) return ExitCode::other_run;
  return report.left_count + report.busy > 0 ? ExitCode::left_over : ExitCode::done;
}

// Asks where a person sits; elsewhere --yes must be there.
bool is_confirmed(const Verb& verb, const Options& options) {
  if (options.dry_run) return true;
  const std::string columns = fmt::format("{}", fmt::join(options.columns, ", "));
  return confirmed(fmt::format(fmt::runtime(verb.question), columns), options.yes);
}

int run(const Verb& verb, Options options) {
  const config::Config config = settings();
  if (config.secrets.keys.empty())
    throw Failure(Exit::wrong_usage,
                  "there is no key: set SOCIALSYNC_SECRETS_KEY or SOCIALSYNC_SECRETS_KEY_FILE; socialsync "
                  "secrets key makes one");
  if (options.columns.empty()) options.columns = column_names();
  if (!is_confirmed(verb, options)) return ExitCode::done;
  const process::Interruption interruption;  // the work ends after the batch that runs
  ProgressLine progress;
  const store::SecretChange wanted{
      .kind = verb.kind,
      .keys = config.secrets.keys,
      .columns = options.columns,
      .is_preview = options.dry_run,
      .interrupted = [&] { return interruption.requested(); },
      .looked_at =
          [&](std::uint64_t rows) {
            progress.show({.what = verb.name, .done = rows, .unit = "accounts and endpoints"});
          }};
  Story story;
  with_secrets(config, options.columns, !options.dry_run,
               [&](pg::Connection& connection) -> asio::awaitable<void> {
                 story = co_await change(connection, wanted);
               });
  progress.clear();
  options.output == "json" ? print_json(verb, options, story) : print_text(verb, options, story);
  return exit_code_of(story.report);
}

constexpr const char* footer =
    "In short batches, while gateways and the application run: a value that changes meanwhile is left alone. "
    "A "
    "second run changes nothing; one that was stopped goes on.\n"
    "Attention: SQL functions (get_whatsapp_user_by_phone_number_id, …) and applications that read these "
    "columns "
    "see sealed text, which only the key opens: --column chooses. Every gateway must have the key first.\n"
    "Examples:\n"
    "  socialsync secrets encrypt --column app_secret --column verify_token --yes\n"
    "  socialsync secrets rotate --dry-run\n"
    "  socialsync secrets decrypt --yes\n"
    "Exit codes: 0 done or nothing to do · 1 internal error · 2 wrong usage or setting · 3 the database is "
    "not "
    "migrated, or a right is missing · 5 some values are left, and named · 7 a migration runs · 130 "
    "interrupted";

}  // namespace

void add_changes(Command secrets) {
  for (const Verb& verb : verbs) {
    Command command = secrets.add_subcommand(verb.name, verb.description);
    command.footer(footer);
    const auto options = std::make_shared<Options>();
    command.add_option("--column", options->columns, "Only this column; may be given again")
        .one_of(column_names())
        .type_name("NAME");
    command.add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
    command.add_flag("--yes", options->yes, "Do not ask");
    add_output(command, options->output);
    command.runs([options, &verb] { return guarded([&] { return run(verb, *options); }); });
  }
}

}  // namespace socialsync::cli::secrets
