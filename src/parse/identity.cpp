#include "parse/identity.hpp"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace socialsync::parse {
namespace {

constexpr std::size_t type_characters_max = 50;

constexpr bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

// Returns the member of an object, or the first element of an array.
Value step_into(Value container, std::string_view name) {
  if (!container.is_array()) return container.at(name);
  const Items items = container.items();
  return name == "0" && items.begin() != items.end() ? *items.begin() : Value();
}

constexpr std::int64_t first_ms = 100'000'000'000;
constexpr std::int64_t last_ms = (std::int64_t{1} << 48) - 1;

}  // namespace

Value at_path(Value element, std::string_view path) {
  if (path == ".") return element;
  while (true) {
    const std::size_t dot = path.find('.');
    element = step_into(element, path.substr(0, dot));
    if (dot == std::string_view::npos) return element;
    path.remove_prefix(dot + 1);
  }
}

Value first_with_text(Value element, const Paths& paths) {
  for (const std::string_view path : paths) {
    if (path.empty()) break;
    const Value value = at_path(element, path);
    if (!value.text().empty()) return value;
  }
  return {};
}

std::string first_text(Value element, const Paths& paths) { return first_with_text(element, paths).text(); }

void append_parts(std::string& out, Value element, const Paths& paths, Value entry_time) {
  for (const std::string_view path : paths) {
    if (path.empty()) break;
    const Value value = path == "@time" ? entry_time : at_path(element, path);
    if (value.is_string() && !value.loses_characters()) {
      append_part(out, value.text());
    } else {
      append_part(out, value.present() ? value.raw() : std::string_view{});
    }
  }
}

void append_part(std::string& out, std::string_view part) {
  out.append(std::to_string(part.size())).append(":").append(part);
}

void append_lost_characters(std::string& out, Value id) {
  if (id.loses_characters()) append_part(out, id.raw());
}

std::string event_type(std::string word) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (!starts_character(word[at]) || characters++ < type_characters_max) continue;
    word.resize(at);
    break;
  }
  return word;
}

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
