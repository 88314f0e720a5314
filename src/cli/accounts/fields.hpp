// What `accounts add`, `set` and `import` may write, and what it must look like.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace socialsync::cli::accounts {

struct Field {
  enum class Kind { text, digits, number, url, events, ids, secret };

  std::string_view name;  // of the column of a file; with hyphens, the option
  Kind kind = Kind::text;
  std::size_t characters_max = 255;
  std::string_view description;
};

std::span<const Field> fields();
// Nothing when there is no such field.
const Field* find_field(std::string_view name);
// "--phone-number-id"; of a secret "--app-secret-file".
std::string option_of(const Field& field);

// Why the value cannot be taken, to be read after the field's name; nothing when it can. `any_event`: lists
// of events may name some that this version does not know. Never holds the value of a secret.
std::optional<std::string> fault_of(const Field& field, const std::string& value, bool any_event);

// As store::AccountWrite wants it: lists as arrays.
boost::json::value json_of(const Field& field, const std::string& value);

// The platform's label in the database ("messenger" is "facebook"); nothing for another word.
std::optional<std::string> platform_label(std::string_view word);

}  // namespace socialsync::cli::accounts
