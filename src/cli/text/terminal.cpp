#include "cli/text/terminal.hpp"

#include <cstdio>
#include <iostream>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "cli/text/printable.hpp"
#include "config/config.hpp"

namespace socialsync::cli {
namespace {

constexpr std::chrono::milliseconds refresh_interval{100};
constexpr std::size_t bar_columns = 10;
constexpr std::size_t default_width = 80;

bool wants_colour() { return isatty(STDOUT_FILENO) == 1 && !config::is_colour_unwanted(); }

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::bold: return "1";
    case Colour::dim: return "2";
    case Colour::red: return "31";
    case Colour::green: return "32";
    case Colour::yellow: return "33";
    case Colour::plain: break;
  }
  return "0";
}

std::string amount(std::uint64_t value, const std::string& unit) {
  return unit == "bytes" ? readable_bytes(value) : readable_count(value);
}

std::string bar(std::uint64_t done, std::uint64_t total) {
  const std::size_t full = std::min<std::size_t>(bar_columns, done * bar_columns / total);
  std::string text;
  for (std::size_t i = 0; i < bar_columns; ++i) text += i < full ? "█" : "░";
  return fmt::format("{} {}%", text, std::min<std::uint64_t>(100, done * 100 / total));
}

}  // namespace

std::string coloured(Colour colour, std::string_view text) {
  static const bool wanted = wants_colour();
  if (!wanted || colour == Colour::plain) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code_of(colour), text);
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : default_width;
}

std::string fitted(std::string_view text, std::size_t indent, int descriptor) {
  if (isatty(descriptor) != 1) return std::string(text);
  return wrapped(text, indent, terminal_width(descriptor));
}

std::string fitted_lines(std::string_view text, int descriptor) {
  if (isatty(descriptor) != 1) return std::string(text);
  return wrapped_lines(text, terminal_width(descriptor));
}

std::string readable_duration(std::chrono::milliseconds duration) {
  const auto milliseconds = duration.count();
  if (milliseconds < 1000) return fmt::format("{}ms", milliseconds);
  if (milliseconds < 60'000) return fmt::format("{:.1f}s", static_cast<double>(milliseconds) / 1000);
  const auto seconds = milliseconds / 1000;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string readable_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 1000 && unit < std::size(units) - 1; ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

ProgressLine::ProgressLine() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { clear(); }

std::string ProgressLine::line_of(const migrate::Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (progress.what != what_) {
    what_ = progress.what;
    began_ = now;
  }
  std::string line = progress.what;
  if (progress.total > 0) {
    line +=
        fmt::format(" {} {}/{} {}", bar(progress.done, progress.total), amount(progress.done, progress.unit),
                    amount(progress.total, progress.unit), progress.unit == "bytes" ? "" : progress.unit);
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    if (progress.done > 0 && progress.done < progress.total && spent > std::chrono::seconds(2)) {
      const double left =
          static_cast<double>(progress.total - progress.done) / static_cast<double>(progress.done);
      const std::chrono::milliseconds remaining(
          static_cast<std::int64_t>(left * static_cast<double>(spent.count())));
      line += "· eta " + readable_duration(remaining);
    }
  }
  if (!progress.note.empty()) line += " · " + progress.note;
  return line;
}

void ProgressLine::show(const migrate::Progress& progress) {
  if (!is_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (is_shown_ && progress.what == what_ && now - shown_ < refresh_interval) return;
  const std::string line = line_of(progress);
  fmt::print(stderr, "\r\033[K{}", first_columns(line, terminal_width(STDERR_FILENO) - 1));
  std::fflush(stderr);
  is_shown_ = true;
  shown_ = now;
}

void ProgressLine::clear() {
  if (!is_shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  is_shown_ = false;
}

migrate::ShowProgress ProgressLine::shower() {
  return [this](const migrate::Progress& progress) { show(progress); };
}

bool confirmed(const std::string& question, bool yes) {
  if (yes) return true;
  if (isatty(STDIN_FILENO) != 1) throw Failure(Exit::wrong_usage, "not a terminal: confirm with --yes");
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  const bool is_yes = answer == "y" || answer == "Y" || answer == "yes";
  if (!is_yes) fmt::print(stderr, "nothing was changed\n");
  return is_yes;
}

}  // namespace socialsync::cli
