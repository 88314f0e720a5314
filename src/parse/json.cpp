#include "parse/json.hpp"

#include "parse/json_text.hpp"

namespace socialsync::parse {

std::string Value::text() const {
  if (kind() == Kind::number) return std::string(raw());
  if (kind() != Kind::string) return {};
  return node().escaped ? unescaped(content()) : std::string(content());
}

bool Value::loses_characters() const { return is_string() && node().escaped && !fits_text(content()); }

Value Value::at(std::string_view key) const {
  Value found;
  for (const auto& [name, value] : fields()) {
    if (name.equals(key)) found = value;
  }
  return found;
}

Items Value::items() const { return Items(*this); }

Fields Value::fields() const { return Fields(*this); }

Items::Items(Value array) {
  if (!array.is_array()) return;
  document_ = array.document_;
  first_ = array.node_ + 1;
  last_ = array.node().next;
}

Fields::Fields(Value object) {
  if (!object.is_object()) return;
  document_ = object.document_;
  first_ = object.node_ + 1;
  last_ = object.node().next;
}

}  // namespace socialsync::parse
