#include "parse/persons.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace socialsync::parse {
namespace {

constexpr std::size_t number_digits_min = 7;

// The members in which an object names a person. The members of one row name the same person.
constexpr std::array<std::array<std::string_view, 4>, 10> names_of_one = {{
    {"wa_id", "user_id", "parent_user_id", ""},
    {"from", "from_user_id", "from_parent_user_id", ""},
    {"to", "to_user_id", "to_parent_user_id", ""},
    {"recipient_id", "recipient_user_id", "parent_recipient_user_id", "recipient_parent_user_id"},
    {"recipient_participant_id", "recipient_participant_user_id", "", ""},
    {"previous", "current", "", ""},  // in user_id, after a change
    {"phone_number", "", "", ""},     // in a contact of the business's address book
    {"sender_id", "", "", ""},
    {"user_ref", "", "", ""},
    {"input", "", "", ""},  // a participant that Meta could not add
}};

// The objects in an element that name a person, by the members above or by their id.
constexpr std::string_view objects_by_names[] = {"contact", "system", "user_id", "optin"};
constexpr std::string_view objects_by_id[] = {"from", "sender", "recipient"};

bool is_digit(char character) { return character >= '0' && character <= '9'; }

bool is_number(std::string_view text) {
  return text.size() >= number_digits_min && std::ranges::all_of(text, is_digit);
}

class Search {
 public:
  explicit Search(const std::set<std::string>& ids) : ids_(ids) {}

  PersonFound run(Value body) {
    if (body.is_array()) {
      for (const Value webhook : body.items()) look_through(webhook);
    }
    look_through(body);
    return {.involvement = involvement(body), .further = std::move(further_), .is_business = is_business_};
  }

 private:
  Involvement involvement(Value body) const {
    const bool has_threads = own_threads_ + other_threads_ > 0;
    if (own_threads_ > 0 && other_threads_ > 0) return Involvement::among_others;
    if (own_threads_ > 0 || (is_party_ && !has_threads)) return Involvement::party;
    return is_mentioned(body) ? Involvement::mentioned : Involvement::none;
  }

  void look_through(Value webhook) {
    for (const Value entry : webhook.at("entry").items()) {
      for (const Value change : entry.at("changes").items()) look_at_change(change.at("value"));
      for (const char* list : {"messaging", "standby"}) {
        for (const Value element : entry.at(list).items()) look_at_element(element);
      }
      look_at_change(entry.at("value"));
    }
  }

  void look_at_change(Value value) {
    is_business_ |= is_theirs(value.at("metadata").at("display_phone_number"));
    look_at_element(value);
    for (const auto& [key, list] : value.fields()) {
      if (key.equals("history")) {
        for (const Value chunk : list.items()) count_threads(chunk);
      } else {
        for (const Value element : list.items()) look_at_element(element);
      }
    }
  }

  void look_at_element(Value element) {
    look_at_names(element);
    for (const std::string_view name : objects_by_names) look_at_names(element.at(name));
    for (const std::string_view name : objects_by_id) is_party_ |= is_theirs(element.at(name).at("id"));
    for (const auto& [key, list] : element.fields()) {
      if (!key.text().ends_with("participants")) continue;
      for (const Value participant : list.items()) look_at_names(participant);
    }
  }

  void look_at_names(Value object) {
    for (const auto& names : names_of_one) {
      std::vector<std::string> texts;
      for (const std::string_view name : names) {
        // recipient_id may name a group, which is not another name of a person.
        const bool is_group = name == "recipient_id" && object.at("recipient_type").equals("group");
        if (!name.empty() && !is_group) texts.push_back(comparable(object.at(name).text()));
      }
      if (std::ranges::none_of(texts, [this](const std::string& text) { return ids_.contains(text); }))
        continue;
      is_party_ = true;
      for (std::string& text : texts) {
        if (!text.empty() && !ids_.contains(text)) further_.push_back(std::move(text));
      }
    }
  }

  void count_threads(Value chunk) {
    for (const Value thread : chunk.at("threads").items())
      ++(is_theirs(thread.at("id")) ? own_threads_ : other_threads_);
  }

  bool is_theirs(Value value) const { return ids_.contains(comparable(value.text())); }

  bool is_mentioned(Value value) const {
    for (const Value item : value.items()) {
      if (is_mentioned(item)) return true;
    }
    for (const auto& [key, member] : value.fields()) {
      if (is_mentioned(member)) return true;
    }
    if (value.kind() != Kind::string && value.kind() != Kind::number) return false;
    const std::string text = value.text();
    return ids_.contains(comparable(text)) ||
           std::ranges::any_of(ids_, [&](const std::string& id) { return message_id_names(text, id); });
  }

  const std::set<std::string>& ids_;
  std::vector<std::string> further_;
  bool is_party_ = false;
  bool is_business_ = false;
  std::size_t own_threads_ = 0;
  std::size_t other_threads_ = 0;
};

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<unsigned> value_of(char character) {
  if (character == '-') return 62;  // base64url
  if (character == '_') return 63;
  const std::size_t at = alphabet.find(character);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(at);
}

// Decodes base64 up to the first character that is not base64.
std::string decoded(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char character : text) {
    const auto value = value_of(character);
    if (!value) break;
    bits = (bits << 6 | *value) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

std::string encoded(std::string_view bytes) {
  std::string text;
  unsigned bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(byte)) & 0xffff;
    for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
  }
  return text;  // without the last character: it depends on the bytes that follow
}

}  // namespace

PersonFound look_for(Value body, const std::set<std::string>& ids) { return Search(ids).run(body); }

std::string comparable(std::string_view identifier) {
  std::string digits;
  for (const char character : identifier) {
    if (is_digit(character)) digits += character;
    const bool is_number_s =
        is_digit(character) || (std::string_view("+ -().").find(character) != std::string_view::npos);
    if (!is_number_s) return std::string(identifier);
  }
  return digits;
}

bool message_id_names(std::string_view message_id, std::string_view digits) {
  constexpr std::string_view prefix = "wamid.";
  if (!is_number(digits) || !message_id.starts_with(prefix)) return false;
  const std::string bytes = decoded(message_id.substr(prefix.size()));
  for (std::size_t at = bytes.find(digits); at != std::string::npos; at = bytes.find(digits, at + 1)) {
    const std::size_t end = at + digits.size();
    const bool is_whole =
        (at == 0 || !is_digit(bytes[at - 1])) && (end == bytes.size() || !is_digit(bytes[end]));
    if (is_whole) return true;
  }
  return false;
}

std::vector<std::string> base64_fragments(std::string_view digits) {
  std::vector<std::string> fragments;
  if (!is_number(digits)) return fragments;
  for (const std::size_t before : {0u, 1u, 2u}) {
    const std::string text = encoded(std::string(before, '\0').append(digits));
    fragments.push_back(
        text.substr((before * 8 + 5) / 6));  // without the characters that hold bits of the bytes before
  }
  return fragments;
}

}  // namespace socialsync::parse
