// One line per event, structured: a message and named fields. Text for people, JSON for machines. Never a
// payload or a secret at info.
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

// Call once, before the first line; until then lines go out as text from info up.
void configure(bool json, bool debug);

// Cheap: ask before building fields for a debug line.
bool enabled(Level level);

// Keeps a flood of lines of one kind from becoming one in the log: admits so many a second, and counts the
// rest. One thread.
class RateLimit {
 public:
  explicit RateLimit(int lines_per_second) : lines_per_second_(lines_per_second) {}

  // How many lines were left out since the last that was admitted; nothing when this one is to be left out.
  std::optional<std::uint64_t> admit(std::chrono::steady_clock::time_point now);

 private:
  int lines_per_second_;
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
  std::chrono::steady_clock::time_point second_began_;
};

// Values are quoted and escaped: foreign bytes cannot forge a line.
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
