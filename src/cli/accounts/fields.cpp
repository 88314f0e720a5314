#include "cli/accounts/fields.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/core.h>

#include "base/text.hpp"
#include "crypto/secret_box.hpp"
#include "model/event.hpp"
#include "parse/kinds.hpp"

namespace socialsync::cli::accounts {
namespace {

using Kind = Field::Kind;

constexpr Field all_fields[] = {
    {"phone_number_id", Kind::digits, 100, "WhatsApp: the number's id at Meta (not the number)"},
    {"page_id", Kind::digits, 100, "Instagram: the professional account's id; Messenger: the Page's"},
    {"account_id", Kind::text, 255, "Under which the account was connected (default: the id above)"},
    {"username", Kind::text, 255, "Default: the business's name"},
    {"display_name", Kind::text, 255, "For people"},
    {"business_name", Kind::text, 255, "For people"},
    {"display_phone_number", Kind::number, 20, "WhatsApp: the number itself, +33 7 65 54 00 03"},
    {"waba_id", Kind::digits, 100, "WhatsApp Business Account; learned from traffic too"},
    {"linked_ids", Kind::ids, 1000, "Further ids that Meta names it by, commas between"},
    {"webhook_url", Kind::url, 500, "Where the tenant wants its events"},
    {"webhook_events", Kind::events, 2000, "Events it wants, commas between (default: all)"},
    {"app_secret", Kind::secret, 255,
     "What signs its webhooks (default: META_APP_SECRET); a list while rotated"},
    {"verify_token", Kind::secret, 255, "For Meta's handshake"},
    {"access_token", Kind::secret, 4000, "For the application; the gateway does not use it"},
    {"refresh_token", Kind::secret, 4000, "The same"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// The types that webhook_logs can have, as far as this version knows.
std::set<std::string_view> known_events() {
  std::set<std::string_view> known = {"messages", "message_deliveries", "message_reads"};
  for (const auto kinds : {parse::whatsapp_kinds(), parse::instagram_kinds(), parse::messenger_kinds()}) {
    for (const parse::ChangeKind& kind : kinds) known.insert(kind.field);
  }
  for (const parse::MessagingKind& kind : parse::messaging_kinds())
    known.insert({kind.instagram_type, kind.messenger_type});
  for (const model::OwnEvent& event : model::own_events) known.insert(event.type);
  return known;
}

std::optional<std::string> event_fault(const std::string& list) {
  static const std::set<std::string_view> known = known_events();
  for (const std::string& event : split_list(list)) {
    if (known.contains(event)) continue;
    const std::vector<std::string_view> words(known.begin(), known.end());
    return fmt::format("'{}' is no event that is known, perhaps {} (--any-event takes it as it is)", event,
                       nearest_word(event, words));
  }
  return std::nullopt;
}

std::optional<std::string> url_fault(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string_view rest = url.substr(scheme);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (scheme == 0 || host.empty() || url.find(' ') != std::string_view::npos)
    return "is a URL such as https://tenant.example/webhooks";
  if (host.find('@') != std::string_view::npos)
    return "has a user and password in it: use a signature instead";
  if (url.find('#') != std::string_view::npos) return "has a fragment (#…), which is never sent";
  return std::nullopt;
}

// A gateway would take it for one that another key has sealed, and not start.
std::optional<std::string> secret_fault(const std::string& value) {
  const std::vector<std::string> entries = split_list(value);
  if (entries.empty()) return "is empty";
  if (std::ranges::any_of(entries, crypto::is_sealed))
    return "is sealed: an account's secret is given plain, and sealed for that account alone";
  return std::nullopt;
}

std::optional<std::string> shape_fault(const Field& field, const std::string& value, bool any_event) {
  switch (field.kind) {
    case Kind::digits:
      if (!std::ranges::all_of(value, is_digit)) return "is digits only, as Meta shows it";
      break;
    case Kind::number:
      if (!std::ranges::all_of(value,
                               [](char c) {
                                 return is_digit(c) ||
                                        std::string_view("+ ()-.").find(c) != std::string_view::npos;
                               }) ||
          !std::ranges::any_of(value, is_digit))
        return "is a phone number such as +33 7 65 54 00 03";
      break;
    case Kind::url: return url_fault(value);
    case Kind::events: return any_event ? std::nullopt : event_fault(value);
    case Kind::ids:
      for (const std::string& id : split_list(value))
        if (!std::ranges::all_of(id, is_digit)) return "is a list of ids, digits only";
      break;
    case Kind::secret: return secret_fault(value);
    case Kind::text: break;
  }
  return std::nullopt;
}

}  // namespace

std::span<const Field> fields() { return all_fields; }

const Field* find_field(std::string_view name) {
  const auto found = std::ranges::find(all_fields, name, &Field::name);
  return found == std::end(all_fields) ? nullptr : found;
}

std::string option_of(const Field& field) {
  std::string option = "--" + std::string(field.name);
  std::ranges::replace(option, '_', '-');
  return field.kind == Kind::secret ? option + "-file" : option;
}

std::optional<std::string> fault_of(const Field& field, const std::string& value, bool any_event) {
  if (value.empty()) return "is empty";
  if (std::ranges::any_of(value, is_control)) return "holds a line break or another control character";
  if (first_characters(value, field.characters_max).size() < value.size())
    return fmt::format("is longer than {} characters", field.characters_max);
  return shape_fault(field, value, any_event);
}

boost::json::value json_of(const Field& field, const std::string& value) {
  if (field.kind != Kind::events && field.kind != Kind::ids) return boost::json::value(value);
  boost::json::array list;
  for (const std::string& entry : split_list(value)) list.emplace_back(entry);
  return list;
}

std::optional<std::string> platform_label(std::string_view word) {
  if (word == "messenger") return "facebook";
  for (const std::string_view label : {"whatsapp", "whatsapp_business", "instagram", "facebook"})
    if (word == label) return std::string(label);
  return std::nullopt;
}

}  // namespace socialsync::cli::accounts
