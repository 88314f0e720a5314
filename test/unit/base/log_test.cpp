#include "base/log.hpp"

#include <cstdio>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace socialsync::log {
namespace {

constexpr std::size_t time_characters = std::string_view("2026-11-22T10:31:00.123Z").size();

// What goes to standard error while it lives; puts the log back to its defaults.
class Captured {
 public:
  Captured() : file_(memfd_create("log", MFD_CLOEXEC)), before_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
    std::fflush(stderr);
    REQUIRE(dup2(file_, STDERR_FILENO) >= 0);
  }
  ~Captured() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(file_);
    configure(false, false);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() const {
    std::fflush(stderr);
    std::string content(4096, '\0');
    const ssize_t count = pread(file_, content.data(), content.size(), 0);
    REQUIRE(count >= 0);
    content.resize(static_cast<std::size_t>(count));
    return content;
  }

 private:
  int file_;
  int before_;
};

TEST_CASE("log: text for people") {
  const Captured captured;
  info("listening", {{"url", "http://[::1]:80"}, {"count", 3}, {"empty", ""}});
  CHECK(captured.text().substr(time_characters) ==
        " info    listening url=http://[::1]:80 count=3 empty=\"\"\n");
}

TEST_CASE("log: foreign bytes cannot forge a line or a field") {
  const Captured captured;
  warning("refused", {{"error", "bad\n2026 info forged user=root"}, {"key", R"(a"b\c)"}});
  CHECK(captured.text().substr(time_characters) ==
        " warning refused error=\"bad\\u000a2026 info forged user=root\" key=\"a\\\"b\\\\c\"\n");
}

TEST_CASE("log: JSON for machines") {
  const Captured captured;
  configure(true, false);
  error("it \"broke\"", {{"why", "a\tb"}, {"ms", 1.5}});
  const std::string line = captured.text();
  CHECK(line.starts_with(R"({"time":"20)"));
  CHECK(line.ends_with(
      "Z\",\"level\":\"error\",\"message\":\"it \\\"broke\\\"\",\"why\":\"a\\u0009b\",\"ms\":\"1.5\"}\n"));
}

TEST_CASE("log: debug lines are off until asked for") {
  const Captured captured;
  configure(false, false);
  CHECK_FALSE(enabled(Level::debug));
  debug("hidden");
  CHECK(captured.text().empty());
  configure(false, true);
  CHECK(enabled(Level::debug));
  debug("shown");
  CHECK(captured.text().ends_with(" debug   shown\n"));
}

TEST_CASE("log: a flood is cut to so many lines a second, and the rest is counted") {
  using namespace std::chrono_literals;
  constexpr std::chrono::steady_clock::time_point start{1h};
  RateLimit limit(2);
  CHECK(limit.admit(start) == 0);
  CHECK(limit.admit(start + 1ms) == 0);
  CHECK(limit.admit(start + 2ms) == std::nullopt);
  CHECK(limit.admit(start + 999ms) == std::nullopt);
  CHECK(limit.admit(start + 1s) == 2);
  CHECK(limit.admit(start + 1s) == 0);
  CHECK(limit.admit(start + 1s) == std::nullopt);
}

}  // namespace
}  // namespace socialsync::log
