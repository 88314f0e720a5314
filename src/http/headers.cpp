#include "http/headers.hpp"

#include <algorithm>

namespace socialsync::http {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, to_lower, to_lower);
}

void Headers::reserve(std::size_t text_bytes, std::size_t fields) {
  text_.reserve(text_bytes);
  fields_.reserve(fields);
}

void Headers::add(std::string_view name, std::string_view value) {
  const auto end_of_text = [this] { return static_cast<std::uint32_t>(text_.size()); };
  const std::uint32_t name_begin = end_of_text();
  text_.append(name);
  const std::uint32_t value_begin = end_of_text();
  text_.append(value);
  fields_.push_back({name_begin, value_begin, end_of_text()});
}

std::string_view Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (equal_ignoring_case(this->name(i), name)) return value(i);
  }
  return {};
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (std::size_t i = 0; i < size(); ++i) found += equal_ignoring_case(this->name(i), name) ? 1 : 0;
  return found;
}

std::string_view Headers::name(std::size_t index) const {
  const Field& field = fields_[index];
  return std::string_view(text_).substr(field.name_begin, field.value_begin - field.name_begin);
}

std::string_view Headers::value(std::size_t index) const {
  const Field& field = fields_[index];
  return std::string_view(text_).substr(field.value_begin, field.value_end - field.value_begin);
}

}  // namespace socialsync::http
