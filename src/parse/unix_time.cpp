#include "parse/unix_time.hpp"

#include <charconv>

namespace socialsync::parse {
namespace {

constexpr std::int64_t first_ms = 100'000'000'000;
constexpr std::int64_t last_ms = (std::int64_t{1} << 48) - 1;

}  // namespace

std::optional<std::int64_t> unix_time_ms(Value value) {
  const std::string text = value.text();
  const char* end = text.data() + text.size();
  std::int64_t time = 0;
  const auto parsed = std::from_chars(text.data(), end, time);
  if (parsed.ec != std::errc{} || parsed.ptr != end || time <= 0) return std::nullopt;
  if (time < first_ms) time *= 1000;
  if (time > last_ms) return std::nullopt;
  return time;
}

}  // namespace socialsync::parse
