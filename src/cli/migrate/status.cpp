#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/steps/plan.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Status;

void print_status(const Status& status) {
  fmt::print("{} steps done, {} to do.\n", status.done, status.todo.size());
  for (const std::string& id : status.todo) fmt::print("{}\n", fitted("  todo  " + id, 8));
  if (!status.active.empty()) fmt::print("{}\n", fitted("Running now: " + status.active, 2));
  if (!status.hidden.empty()) fmt::print("{}\n", fitted(status.hidden, 2));
  for (const Status::Run& run : status.runs)
    fmt::print("{}\n",
               fitted(fmt::format("run {}  {} to {}  {} steps{}{}", run.run, run.began_at, run.ended_at,
                                  run.steps, run.later.empty() ? "" : ", later: ", run.later),
                      2));
}

void print_status_json(const Status& status) {
  json::array runs;
  for (const Status::Run& run : status.runs)
    runs.push_back(json::object{{"run", run.run},
                                {"began_at", run.began_at},
                                {"ended_at", run.ended_at},
                                {"steps", run.steps},
                                {"later", run.later}});
  const json::object document{{"v", 1},
                              {"done", status.done},
                              {"todo", json::array(status.todo.begin(), status.todo.end())},
                              {"active", status.active},
                              {"hidden", status.hidden},
                              {"runs", runs}};
  fmt::print("{}\n", json::serialize(document));
}

int status(const Common& common) {
  const Status now = migrate::read_status(database_of(common));
  common.output == Output::json ? print_status_json(now) : print_status(now);
  return ExitCode::done;
}

}  // namespace

void add_status(Command migrate) {
  Command command = migrate.add_subcommand("status", "What is done, what is to do, and what runs now");
  command.footer("Example:  socialsync migrate status");
  const auto common = std::make_shared<Common>();
  add_common(command, *common, true);
  command.runs([common] { return guarded(*common, [&] { return status(*common); }); });
}

}  // namespace socialsync::cli::migration
