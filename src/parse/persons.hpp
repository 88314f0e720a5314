// Whom a payload is about: to find all that names one person, and nothing of anybody else.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parse/json.hpp"

namespace socialsync::parse {

enum class Involvement : std::uint8_t {
  none,
  mentioned,     // somewhere: in a reply, a shared contact card, a text
  among_others,  // theirs is one of several conversations in it
  party,         // it is from, to or about them
};

struct PersonFound {
  Involvement involvement = Involvement::none;
  // By which the same person goes too, as the same contact, sender, … says.
  std::vector<std::string> further{};
  // Theirs is the number that the body came to: they are no customer.
  bool is_business = false;
};

// What a Meta-shaped body says of the person with these identifiers: phone numbers, BSUIDs, Instagram or Page
// scoped ids, as comparable() gives them.
PersonFound look_for(Value body, const std::set<std::string>& ids);

// The form in which identifiers are compared: a phone number without its plus sign, blanks and punctuation.
std::string comparable(std::string_view identifier);

// Whether a WhatsApp message id carries that phone number: its base64 holds the digits, not as a part of
// longer ones.
bool message_id_names(std::string_view message_id, std::string_view digits);

// What the base64 of any text with these digits holds one of, wherever they stand in it. Empty for what is no
// phone number.
std::vector<std::string> base64_fragments(std::string_view digits);

}  // namespace socialsync::parse
