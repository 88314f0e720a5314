// The end of each --help: notes, examples and exit status, made from one table of exit codes.
#pragma once

#include <string>
#include <vector>

#include "base/failure.hpp"

namespace socialsync::cli {

// A line of the exit status; without `meaning` the table's sentence for that code.
struct ExitNote {
  Exit code;
  const char* meaning = nullptr;
};

struct Help {
  std::string notes{};  // paragraphs, wrapped when printed
  std::vector<std::string> examples{};
  std::vector<ExitNote> exits{};  // besides those that every command has
};

// Columns of a help text, also on a wider terminal and in a pipe.
constexpr std::size_t help_width = 80;

// The snake_case code of a JSON error.
const char* name_of(Exit code);

// Adds a code, or its meaning.
void add_exit(Help& help, ExitNote note);

// No line is wider than help_width.
std::string rendered(const Help& help);

}  // namespace socialsync::cli
