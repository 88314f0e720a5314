#include "migrate/steps/doctor.hpp"

#include <algorithm>
#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Diagnosis;
using State = Diagnosis::State;

const char* word_of(State state) {
  switch (state) {
    case State::warning: return "warning";
    case State::bad: return "bad";
    case State::good: break;
  }
  return "good";
}

void print_finding(const Diagnosis& finding) {
  const Colour colour = finding.state == State::good      ? Colour::green
                        : finding.state == State::warning ? Colour::yellow
                                                          : Colour::red;
  constexpr std::size_t indent = 14;
  const std::string line =
      fmt::format("{}  {}{}  {}", finding.id, coloured(colour, word_of(finding.state)),
                  std::string(7 - std::string_view(word_of(finding.state)).size(), ' '), finding.found);
  fmt::print("{}\n", fitted(line, indent));
  if (!finding.todo.empty())
    fmt::print("{}\n", fitted(std::string(indent, ' ') + coloured(Colour::dim, finding.todo), indent));
}

void print_json(const std::vector<Diagnosis>& findings) {
  json::array all;
  for (const Diagnosis& finding : findings)
    all.push_back(json::object{{"id", finding.id},
                               {"state", word_of(finding.state)},
                               {"found", finding.found},
                               {"todo", finding.todo}});
  fmt::print("{}\n", json::serialize(json::object{{"v", 1}, {"findings", all}}));
}

int doctor(const Common& common) {
  const std::vector<Diagnosis> findings = migrate::examine(database_of(common));
  const auto bad = std::ranges::count(findings, State::bad, &Diagnosis::state);
  const auto warnings = std::ranges::count(findings, State::warning, &Diagnosis::state);
  if (common.output == Output::json) {
    print_json(findings);
  } else {
    for (const Diagnosis& finding : findings) print_finding(finding);
    fmt::print("\n{}\n", fitted(fmt::format("{} to put right before apply, {} to know.{}", bad, warnings,
                                            bad == 0 ? "  Next: socialsync migrate plan" : ""),
                                2));
  }
  return static_cast<int>(bad > 0 ? Exit::refused : Exit::done);
}

}  // namespace

void add_doctor(Command migrate) {
  Command command = migrate.add_subcommand("doctor", "Find what could get in the way; changes nothing");
  command.footer("Exits 3 when something must be put right first.\nExample:  socialsync migrate doctor");
  const auto common = std::make_shared<Common>();
  add_common(command, *common, true);
  command.runs([common] { return guarded(*common, [&] { return doctor(*common); }); });
}

}  // namespace socialsync::cli::migration
