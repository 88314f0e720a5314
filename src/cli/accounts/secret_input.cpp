#include "cli/accounts/secret_input.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include "base/failure.hpp"

namespace socialsync::cli::accounts {
namespace {

// Where standard input is a terminal, what is typed is not shown.
class Hidden {
 public:
  Hidden() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Hidden() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

  bool is_terminal() const { return is_terminal_; }

 private:
  termios before_{};
  bool is_terminal_;
};

std::string from_standard_input(const std::string& what) {
  const Hidden hidden;
  std::string text;
  if (!hidden.is_terminal())
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  fmt::print(stderr, "{}: ", what);
  std::getline(std::cin, text);
  fmt::print(stderr, "\n");
  return text;
}

}  // namespace

std::string read_secret(const std::string& path, const std::string& what) {
  std::string text;
  if (path == "-") {
    text = from_standard_input(what);
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Failure(Exit::wrong_usage, fmt::format("{}: cannot read {}", what, path));
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace socialsync::cli::accounts
