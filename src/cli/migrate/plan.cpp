#include "migrate/steps/plan.hpp"

#include <cstdio>
#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Plan;
using migrate::Step;

struct Options {
  Common common;
  bool exit_code = false;
  bool show_sql = false;
};

void print_lines(Colour colour, const char* title, const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    fmt::print("{}\n", fitted(fmt::format("{} {}", coloured(colour, title), line), 2));
}

bool rows_fit() {
  constexpr std::size_t row_columns = 95;
  return isatty(STDOUT_FILENO) != 1 || terminal_width() >= row_columns;
}

// Of a lock's name its initials, as operators call it.
std::string short_lock(const Step& step) {
  if (step.lock.empty()) return "none";
  std::string text;
  bool begins = true;
  for (const char c : step.lock) {
    if (begins) text += c;
    begins = c == ' ';
  }
  return text;
}

std::string state_of(const Step& step) {
  return step.present ? coloured(Colour::dim, "done") : coloured(Colour::bold, "todo");
}

void print_row(const Step& step, std::size_t number, const std::string& takes) {
  fmt::print("{:>3}  {:<52} {:<5} {:<17} {:>6}  {}\n", number, first_columns(step.title, 52),
             short_lock(step), migrate::blocks(step), takes, state_of(step));
}

// Where a row has no room.
void print_paragraph(const Step& step, std::size_t number, const std::string& takes) {
  fmt::print("{}\n", fitted(fmt::format("{:>3}  {}: {}", number, step.title, state_of(step)), 5));
  if (step.present) return;
  const std::string facts =
      fmt::format("     lock {}, blocks {}, est. {}", short_lock(step), migrate::blocks(step), takes);
  fmt::print("{}\n", fitted(facts, 5));
}

void print_step(const Step& step, std::size_t number, const Plan& plan, bool show_sql) {
  const std::string takes = readable_duration(migrate::estimate(step, plan.accounts));
  rows_fit() ? print_row(step, number, takes) : print_paragraph(step, number, takes);
  if (step.present) return;
  if (!step.note.empty()) fmt::print("{}\n", fitted("       " + coloured(Colour::dim, step.note), 7));
  if (show_sql) fmt::print("{}\n\n", step.statements);
}

void print_plan(const Plan& plan, bool show_sql) {
  const std::string heading = fmt::format(
      "{}  database={}  PostgreSQL {}  role={}  accounts≈{}  plan {}", coloured(Colour::bold, "migrate plan"),
      plan.database, plan.server_version, plan.role, readable_count(plan.accounts), plan.hash);
  fmt::print("{}\n\n", fitted(heading, 2));
  if (rows_fit())
    fmt::print("  #  {:<52} {:<5} {:<17} {:>6}  {}\n", "step", "lock", "blocks", "est.", "state");
  for (std::size_t i = 0; i < plan.steps.size(); ++i) print_step(plan.steps[i], i + 1, plan, show_sql);
  fmt::print("\n");
  print_lines(Colour::red, "missing right:", plan.missing_rights);
  print_lines(Colour::red, "conflict:", plan.conflicts);
  print_lines(Colour::yellow, "warning:", plan.warnings);
  print_lines(Colour::yellow, "rows:", plan.rows);
  print_lines(Colour::yellow, "blocker:", plan.blockers);
  fmt::print("{}\n",
             fitted(fmt::format("{} to do, {} done.{}", plan.todo(), plan.steps.size() - plan.todo(),
                                plan.todo() > 0 ? "  Next: socialsync migrate backup, then socialsync "
                                                  "migrate apply"
                                                : ""),
                    2));
}

json::array array_of(const std::vector<std::string>& lines) {
  return json::array(lines.begin(), lines.end());
}

void print_plan_json(const Plan& plan) {
  json::array steps;
  for (const Step& step : plan.steps)
    steps.push_back(json::object{{"id", step.id},
                                 {"title", step.title},
                                 {"lock", step.lock},
                                 {"blocks", migrate::blocks(step)},
                                 {"estimate_ms", migrate::estimate(step, plan.accounts).count()},
                                 {"state", step.present ? "done" : "todo"},
                                 {"note", step.note},
                                 {"sql", step.statements}});
  const json::object document{{"v", 1},
                              {"database", plan.database},
                              {"server_version", plan.server_version},
                              {"role", plan.role},
                              {"accounts", plan.accounts},
                              {"plan", plan.hash},
                              {"todo", plan.todo()},
                              {"steps", steps},
                              {"missing_rights", array_of(plan.missing_rights)},
                              {"conflicts", array_of(plan.conflicts)},
                              {"warnings", array_of(plan.warnings)},
                              {"blockers", array_of(plan.blockers)},
                              {"rows", array_of(plan.rows)}};
  fmt::print("{}\n", json::serialize(document));
}

int plan(const Options& options) {
  const Plan made = migrate::make_plan(database_of(options.common));
  options.common.output == Output::json ? print_plan_json(made) : print_plan(made, options.show_sql);
  if (!made.missing_rights.empty() && options.exit_code) return static_cast<int>(Exit::refused);
  if (!made.conflicts.empty()) return static_cast<int>(Exit::conflict);
  return static_cast<int>(options.exit_code && made.todo() > 0 ? Exit::pending : Exit::done);
}

}  // namespace

void add_plan(Command migrate) {
  Command command = migrate.add_subcommand("plan", "Show what apply would do; changes nothing");
  command.footer(
      "Locks: AE ACCESS EXCLUSIVE, SRE SHARE ROW EXCLUSIVE, SUE SHARE UPDATE EXCLUSIVE.\n"
      "Example:  socialsync migrate plan --exit-code   # 10: there is something to do");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  command.add_flag("--exit-code", options->exit_code, "Exit 10 when there is something to do");
  command.add_flag("--sql", options->show_sql, "Show the statements too");
  command.runs([options] { return guarded(options->common, [&] { return plan(*options); }); });
}

}  // namespace socialsync::cli::migration
