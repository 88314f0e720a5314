// Output for people: colours and progress on a terminal, neither in a pipe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "migrate/progress.hpp"

namespace socialsync::cli {

enum class Colour { plain, bold, dim, red, green, yellow };

// The text in that colour, where standard output is a terminal and NO_COLOR is not set
// (https://no-color.org).
std::string coloured(Colour colour, std::string_view text);

// Columns of the terminal on that file descriptor (1: standard output, 2: error); 80 where there is none.
std::size_t terminal_width(int descriptor = 1);

// The text broken between words where standard output (or error) is a terminal that is narrower, all lines
// but the first indented; in a pipe as it is, since programs look for lines there.
std::string fitted(std::string_view text, std::size_t indent, int descriptor = 1);
// The same for each of its lines, their rest indented under their second column.
std::string fitted_lines(std::string_view text, int descriptor = 1);

// The same text without the wait: "1m04s", "3.2s".
std::string readable_duration(std::chrono::milliseconds duration);
// "12.3 MB"
std::string readable_bytes(std::uint64_t bytes);

// One line on standard error that is written over and over, and gone in the end. Nothing where that is not a
// terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const migrate::Progress& progress);
  // Takes the line away, for other output to be written.
  void clear();
  migrate::ShowProgress shower();

 private:
  std::string line_of(const migrate::Progress& progress);

  bool is_terminal_;
  bool is_shown_ = false;
  std::string what_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point shown_;
};

// Asks on a terminal, before anything is changed, and says that nothing was when the answer is no: that is no
// failure, the exit code is 0. Elsewhere, without `yes`, throws Failure(wrong_usage) that names
// --yes.
bool confirmed(const std::string& question, bool yes);

}  // namespace socialsync::cli
