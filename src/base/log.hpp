// The structured log: one line per event, with a message and named fields, as text or JSON. Lines of level
// info and above never hold a payload or a secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace socialsync::log {

enum class Level { debug, info, warning, error };

struct Field {
  std::string_view name;
  std::string value;

  Field(std::string_view field_name, std::string field_value)
      : name(field_name), value(std::move(field_value)) {}
  Field(std::string_view field_name, std::string_view field_value) : name(field_name), value(field_value) {}
  Field(std::string_view field_name, const char* field_value) : name(field_name), value(field_value) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view field_name, Number field_value)
      : name(field_name), value(fmt::format("{}", field_value)) {}
};

// Called once, before the first line. The default is text, from level info.
void configure(bool json, bool debug);

// Cheap; for callers whose fields are costly.
bool enabled(Level level);

// Limits the lines of one kind per second, and counts those left out. One thread.
class RateLimit {
 public:
  explicit RateLimit(int lines_per_second) : lines_per_second_(lines_per_second) {}

  // Returns the number of lines left out since the last admitted one; nothing if this one is left out.
  std::optional<std::uint64_t> admit(std::chrono::steady_clock::time_point now);

 private:
  int lines_per_second_;
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
  std::chrono::steady_clock::time_point second_began_;
};

// Values are quoted and escaped, so that untrusted bytes cannot forge a line.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace socialsync::log
