#include "migrate/steps/contract.hpp"

#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Leftover;

struct Options {
  Common common;
  std::vector<std::string> drop;
  bool yes = false;
};

json::array array_of(const std::vector<Leftover>& leftovers) {
  json::array all;
  for (const Leftover& leftover : leftovers)
    all.push_back(
        json::object{{"id", leftover.id}, {"why", leftover.why}, {"statement", leftover.statement}});
  return all;
}

void print_json(const char* what, const std::vector<Leftover>& leftovers) {
  fmt::print("{}\n", json::serialize(json::object{{"v", 1}, {what, array_of(leftovers)}}));
}

int list(const Options& options) {
  const std::vector<Leftover> found = migrate::leftovers(database_of(options.common));
  if (options.common.output == Output::json) {
    print_json("leftovers", found);
    return ExitCode::done;
  }
  for (const Leftover& leftover : found)
    fmt::print("{}\n{}\n", leftover.id, fitted("    " + leftover.why, 4));
  const char* next =
      found.empty() ? "Nothing is left over." : "Drop one: socialsync migrate contract --drop ID";
  fmt::print("{}\n", fitted(next, 2));
  return ExitCode::done;
}

int drop(const Options& options) {
  const pg::ConnectionOptions database = database_of(options.common);
  if (!confirmed("Drop this for good? A rollback does not bring it back", options.yes)) return ExitCode::done;
  const std::vector<Leftover> dropped = migrate::drop_leftovers(database, options.drop);
  if (options.common.output == Output::json) {
    print_json("dropped", dropped);
    return ExitCode::done;
  }
  for (const Leftover& leftover : dropped) fmt::print("{}\n", fitted("  done   " + leftover.statement, 9));
  return ExitCode::done;
}

}  // namespace

void add_contract(Command migrate) {
  Command command = migrate.add_subcommand("contract", "Drop what the new schema does not need any more");
  command.footer(
      "Without --drop it only lists. Exits 3 when something depends on what is to go: it is named.\nExample: "
      " socialsync migrate contract --drop ID --yes");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  command.add_option("--drop", options->drop, "What to drop; may be repeated").type_name("ID");
  command.add_flag("--yes", options->yes, "Do not ask");
  command.runs([options] {
    return guarded(options->common, [&] { return options->drop.empty() ? list(*options) : drop(*options); });
  });
}

}  // namespace socialsync::cli::migration
