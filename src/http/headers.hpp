#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::http {

// The header fields of one message, in the order they came: one buffer and the offsets into it.
class Headers {
 public:
  // Room for so many bytes of names and values, and so many fields.
  void reserve(std::size_t text_bytes, std::size_t fields);

  void add(std::string_view name, std::string_view value);

  // The first field of that name, upper or lower case; empty when there is none. Valid until add().
  std::string_view find(std::string_view name) const;

  // How many fields bear that name: more than one is often an attempt to be read in two ways.
  std::size_t count(std::string_view name) const;

  // All fields.
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

// Equal but for the case of ASCII letters, as field names and most of their keywords are.
bool equal_ignoring_case(std::string_view left, std::string_view right);

}  // namespace socialsync::http
