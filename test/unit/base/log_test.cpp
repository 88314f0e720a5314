#include "base/log.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/base/captured.hpp"

namespace socialsync::log {
namespace {

constexpr std::size_t time_characters = std::string_view("2026-11-22T10:31:00.123Z").size();

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
