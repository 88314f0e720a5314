#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::http {

// The header fields of one message in their order: one buffer, and offsets into it.
class Headers {
 public:
  // Reserves space for the bytes of all names and values, and for the number of fields.
  void reserve(std::size_t text_bytes, std::size_t fields);

  void add(std::string_view name, std::string_view value);

  // Returns the first field of that name, ignoring case; empty when absent. Valid until add().
  std::string_view find(std::string_view name) const;

  // Counts the fields of that name. More than one is often a request-smuggling attempt.
  std::size_t count(std::string_view name) const;

  // The number of fields.
  std::size_t size() const { return fields_.size(); }

  // The field at `index`, which is below size().
  std::string_view name(std::size_t index) const;
  std::string_view value(std::size_t index) const;

 private:
  struct Field {
    std::uint32_t name_begin;
    std::uint32_t value_begin;
    std::uint32_t value_end;
  };

  std::string text_;
  std::vector<Field> fields_;
};

// Compares ignoring the case of ASCII letters, as HTTP does for field names and most keywords.
bool equal_ignoring_case(std::string_view left, std::string_view right);

}  // namespace socialsync::http
