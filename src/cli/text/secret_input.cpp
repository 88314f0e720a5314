#include "cli/text/secret_input.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include "base/failure.hpp"

namespace socialsync::cli {
namespace {

// Turns off the echo of a terminal on standard input.
class HiddenInput {
 public:
  HiddenInput() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

  bool is_terminal() const { return is_terminal_; }

 private:
  termios before_{};
  bool is_terminal_;
};

std::string from_standard_input(const std::string& name) {
  const HiddenInput input;
  std::string text;
  if (!input.is_terminal())
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  fmt::print(stderr, "{}: ", name);
  std::getline(std::cin, text);
  fmt::print(stderr, "\n");
  return text;
}

}  // namespace

std::string read_secret(const std::string& path, const std::string& name) {
  std::string text;
  if (path == "-") {
    text = from_standard_input(name);
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Failure(Exit::wrong_usage, fmt::format("{}: cannot read {}", name, path));
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace socialsync::cli
