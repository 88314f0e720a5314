#include "cli/app/help.hpp"

#include <sstream>

#include <doctest/doctest.h>

#include "cli/text/printable.hpp"

namespace socialsync::cli {
namespace {

TEST_CASE("help: exit codes in order, each once, with the command's own meaning") {
  Help help{.exits = {{Exit::done}, {Exit::wrong_usage}}};
  add_exit(help, {Exit::not_found, "endpoint not found"});
  add_exit(help, {Exit::lock_budget_spent});
  add_exit(help, {Exit::done, "done, or answered no"});
  add_exit(help, {Exit::not_found});
  CHECK(rendered(help) ==
        "Exit status:\n  0    done, or answered no\n  2    wrong usage or setting\n"
        "  4    a row or table stayed locked: run it again\n  9    endpoint not found");
}

TEST_CASE("help: every code has a name and a sentence") {
  for (const int code : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130}) {
    CHECK(std::string(name_of(static_cast<Exit>(code))).size() > 3);
    CHECK(rendered({.exits = {{static_cast<Exit>(code)}}}).size() > 20);
  }
}

TEST_CASE("help: no line is too wide, and a long example goes on as a shell reads it") {
  const Help help{
      .notes = std::string(300, 'x').replace(100, 1, " ").replace(150, 1, " ").replace(40, 1, " "),
      .examples = {"socialsync endpoints add --account 683178638221369 --url "
                   "https://bot.example/webhook --verify-token-file token"},
      .exits = {{Exit::done}}};
  const std::string text = rendered(help);
  CHECK(text.find(" \\\n      ") != std::string::npos);
  std::istringstream lines(text.substr(text.find("Examples")));
  for (std::string line; std::getline(lines, line);) CHECK(columns_of(line) <= help_width);
}

}  // namespace
}  // namespace socialsync::cli
