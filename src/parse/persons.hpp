// Finds the persons in a payload: the search behind erasure of one person's data.
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
  mentioned,     // anywhere else: in a reply, a shared contact card, a text
  among_others,  // one of several conversations in it is theirs
  party,         // it is from, to or about them
};

struct PersonFound {
  Involvement involvement = Involvement::none;
  // Further identifiers that the payload gives the same person, in one contact, sender, …
  std::vector<std::string> further{};
  // True when the identifier is the business's own number, not a customer's.
  bool is_business = false;
};

// Searches a Meta-shaped body for the person with these identifiers: phone numbers, BSUIDs, Instagram-scoped
// or Page-scoped ids, each as comparable() returns it.
PersonFound look_for(Value body, const std::set<std::string>& ids);

// Returns an identifier in the form for comparison: a phone number without plus sign, blanks and punctuation.
std::string comparable(std::string_view identifier);

// True when a WhatsApp message id contains that phone number: its decoded base64 holds the digits, and not as
// part of a longer number.
bool message_id_names(std::string_view message_id, std::string_view digits);

// Returns three fragments; the base64 of any text that contains these digits contains one of them. Empty when
// `digits` is not a phone number.
std::vector<std::string> base64_fragments(std::string_view digits);

}  // namespace socialsync::parse
