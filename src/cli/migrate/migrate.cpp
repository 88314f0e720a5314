// `socialsync migrate`, and its subcommands doctor, contract and sql.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/app/commands.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/sql_files.hpp"
#include "migrate/steps/contract.hpp"
#include "migrate/steps/doctor.hpp"

namespace socialsync::cli {
namespace migration {
namespace {

namespace json = boost::json;
using migrate::Diagnosis;
using migrate::Leftover;

const char* word_of(Diagnosis::State state) {
  switch (state) {
    case Diagnosis::State::warning: return "warning";
    case Diagnosis::State::bad: return "bad";
    case Diagnosis::State::good: break;
  }
  return "good";
}

void print_diagnosis(const Diagnosis& finding) {
  constexpr std::size_t indent = 14;
  const Colour colour = finding.state == Diagnosis::State::good      ? Colour::green
                        : finding.state == Diagnosis::State::warning ? Colour::yellow
                                                                     : Colour::red;
  const std::string_view word = word_of(finding.state);
  fmt::print("{}\n", fitted(fmt::format("{}  {}{}  {}", finding.id, coloured(colour, word),
                                        std::string(7 - word.size(), ' '), finding.found),
                            indent));
  if (!finding.todo.empty())
    fmt::print("{}\n", fitted(std::string(indent, ' ') + coloured(Colour::dim, finding.todo), indent));
}

Exit doctor(const NoOptions&, const Common& common) {
  const std::vector<Diagnosis> findings = migrate::examine(database_of(common));
  const auto bad = std::ranges::count(findings, Diagnosis::State::bad, &Diagnosis::state);
  const auto warnings = std::ranges::count(findings, Diagnosis::State::warning, &Diagnosis::state);
  if (common.wants_json()) {
    print_json({{"findings", array_of(findings, [](const Diagnosis& finding) {
                   return json::object{{"id", finding.id},
                                       {"state", word_of(finding.state)},
                                       {"found", finding.found},
                                       {"todo", or_null(finding.todo)}};
                 })}});
  } else {
    for (const Diagnosis& finding : findings) print_diagnosis(finding);
    const char* next = bad == 0 ? "  Next: socialsync migrate plan" : "";
    fmt::print("\n{}\n",
               fitted(fmt::format("{} to fix before apply, {} warnings.{}", bad, warnings, next), 2));
  }
  return bad > 0 ? Exit::refused : Exit::done;
}

struct ContractOptions {
  std::vector<std::string> drop;
  bool yes = false;
};

void print_leftovers(const char* name, const std::vector<Leftover>& leftovers) {
  print_json({{name, array_of(leftovers, [](const Leftover& leftover) {
                 return json::object{
                     {"id", leftover.id}, {"why", leftover.why}, {"statement", leftover.statement}};
               })}});
}

Exit list_leftovers(const Common& common) {
  const std::vector<Leftover> found = migrate::leftovers(database_of(common));
  if (common.wants_json()) {
    print_leftovers("leftovers", found);
    return Exit::done;
  }
  for (const Leftover& leftover : found)
    fmt::print("{}\n{}\n", leftover.id, fitted("    " + leftover.why, 4));
  const char* next =
      found.empty() ? "Nothing is left over." : "To drop one: socialsync migrate contract --drop ID";
  fmt::print("{}\n", fitted(next, 2));
  return Exit::done;
}

Exit contract(const ContractOptions& options, const Common& common) {
  if (options.drop.empty()) return list_leftovers(common);
  const pg::ConnectionOptions database = database_of(common);
  if (!confirmed("Drop this permanently? A rollback does not restore it", options.yes)) return Exit::done;
  const std::vector<Leftover> dropped = migrate::drop_leftovers(database, options.drop);
  if (common.wants_json())
    print_leftovers("dropped", dropped);
  else
    for (const Leftover& leftover : dropped) fmt::print("{}\n", fitted("  done   " + leftover.statement, 9));
  return Exit::done;
}

}  // namespace

void add_doctor(Command migrate) {
  Command command = migrate.add_subcommand("doctor", "Find obstacles to the migration; changes nothing");
  command.help({.examples = {"socialsync migrate doctor"},
                .exits = {{Exit::refused, "something must be fixed first, or database unreachable"}}});
  with_common(command, std::make_shared<NoOptions>(), doctor, migration_session);
}

void add_contract(Command migrate) {
  Command command =
      migrate.add_subcommand("contract", "List or drop objects that the new schema does not need");
  command.help(
      {.notes = "Without --drop, lists them.",
       .examples = {"socialsync migrate contract --drop ID --yes"},
       .exits = {{Exit::done, "done, or not confirmed"},
                 {Exit::refused, "other objects depend on it, database unreachable, or privilege missing"}}});
  const auto options = std::make_shared<ContractOptions>();
  command.add_option("--drop", options->drop, "Id of an object to drop; may be repeated").type_name("ID");
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  with_common(command, options, contract, migration_session);
}

void add_sql(Command migrate) {
  Command command = migrate.add_subcommand("sql", "Print the migration as one file for psql");
  command.help({.examples = {"socialsync migrate sql | psql -X -d socialsync",
                             "socialsync migrate sql --gateway-role | psql -X -d socialsync"}});
  const auto text = std::make_shared<std::string_view>(migrate::schema_updates());
  Option rollback = command.add_flag(
      "--rollback", [text] { *text = migrate::schema_rollback(); }, "Print the file that undoes it");
  command
      .add_flag(
          "--gateway-role", [text] { *text = migrate::gateway_role(); },
          "Print the file that creates the role for serve, with the least privileges")
      .excludes(rollback);
  command.runs([text] {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return Exit::done;
  });
}

}  // namespace migration

void add_migrate(Command app) {
  Command command = app.add_subcommand("migrate", "Migrate a database to the multi-tenant schema, or back");
  migration::add_doctor(command);
  migration::add_backup(command);
  migration::add_plan(command);
  migration::add_apply(command);
  migration::add_backfill(command);
  migration::add_verify(command);
  migration::add_route_test(command);
  migration::add_status(command);
  migration::add_rollback(command);
  migration::add_contract(command);
  migration::add_sql(command);
}

}  // namespace socialsync::cli
