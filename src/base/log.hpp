// One line per event, structured: a message and named fields. Text for people, JSON for machines. Never a
// payload or a secret at info.
#pragma once

#include <initializer_list>
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
