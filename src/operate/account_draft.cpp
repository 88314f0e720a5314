#include "operate/account_draft.hpp"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "base/text.hpp"
#include "crypto/secret_box.hpp"
#include "model/event.hpp"
#include "parse/kinds.hpp"

namespace socialsync::operate {
namespace {

using Kind = AccountField::Kind;

constexpr AccountField all_fields[] = {
    {"phone_number_id", Kind::digits, 100, "WhatsApp: the number's id at Meta (not the number)"},
    {"page_id", Kind::digits, 100, "Instagram: the professional account's id; Messenger: the Page's"},
    {"account_id", Kind::text, 255, "Id under which the account was connected (default: the id above)"},
    {"username", Kind::text, 255, "User name (default: the business's name)"},
    {"display_name", Kind::text, 255, "Display name"},
    {"business_name", Kind::text, 255, "Name of the business"},
    {"display_phone_number", Kind::number, 20, "WhatsApp: the number itself, +33 7 65 54 00 03"},
    {"waba_id", Kind::digits, 100, "WhatsApp Business Account; learned from traffic too"},
    {"linked_ids", Kind::ids, 1000, "Other ids of the account in webhooks, comma-separated"},
    {"webhook_url", Kind::url, 500, "Delivery URL of the tenant"},
    {"webhook_events", Kind::events, 2000, "Event types to log as received, comma-separated (default: all)"},
    {"app_secret", Kind::secret, 255,
     "Secret that signs its webhooks (default: META_APP_SECRET); a list while it is rotated"},
    {"verify_token", Kind::secret, 255, "Token of Meta's handshake"},
    {"access_token", Kind::secret, 4000, "Access token of the application; not used by the gateway"},
    {"refresh_token", Kind::secret, 4000, "Refresh token of the application; not used by the gateway"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_phone_character(char c) {
  return is_digit(c) || std::string_view("+ ()-.").find(c) != std::string_view::npos;
}

// The event types of webhook_logs that this version knows.
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
    return fmt::format("'{}' is not a known event type; perhaps {}", event, nearest_word(event, words));
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

// An encrypted value would be taken for one of another key, and keep the gateway from starting.
std::optional<std::string> secret_fault(const std::string& value) {
  const std::vector<std::string> entries = split_list(value);
  if (entries.empty()) return "is empty";
  if (std::ranges::any_of(entries, crypto::is_sealed))
    return "is encrypted: give the plaintext, which is encrypted for this account alone";
  return std::nullopt;
}

std::optional<std::string> shape_fault(const AccountField& field, const std::string& value) {
  switch (field.kind) {
    case Kind::digits:
      if (!std::ranges::all_of(value, is_digit)) return "is digits only, as Meta shows it";
      break;
    case Kind::number:
      if (!std::ranges::all_of(value, is_phone_character) || std::ranges::none_of(value, is_digit))
        return "is a phone number such as +33 7 65 54 00 03";
      break;
    case Kind::url: return url_fault(value);
    case Kind::events: return event_fault(value);
    case Kind::ids:
      for (const std::string& id : split_list(value))
        if (!std::ranges::all_of(id, is_digit)) return "is a list of ids, digits only";
      break;
    case Kind::secret: return secret_fault(value);
    case Kind::text: break;
  }
  return std::nullopt;
}

std::vector<std::string> value_faults(const AccountDraft& draft) {
  std::vector<std::string> faults;
  for (const auto& [name, value] : draft.values) {
    if (const auto fault = fault_of(*find_account_field(name), value))
      faults.push_back(fmt::format("{} {}", name, *fault));
  }
  return faults;
}

std::optional<std::string> clear_fault(const AccountDraft& draft, const std::string& name) {
  if (!find_account_field(name)) return fmt::format("--clear: an account has no {}", name);
  const bool is_required = name == "account_id" || name == "username";  // NOT NULL
  if (is_required) return fmt::format("--clear: an account needs its {}", name);
  if (draft.values.contains(name)) return fmt::format("{} is both set and cleared", name);
  return std::nullopt;
}

bool is_encrypted(const AccountField& field, const config::SecretsAtRest& at_rest) {
  if (field.kind != Kind::secret || at_rest.keys.empty()) return false;
  const bool is_gateways = field.name == "app_secret" || field.name == "verify_token";
  return is_gateways || std::ranges::find(at_rest.sealed_columns, field.name) != at_rest.sealed_columns.end();
}

boost::json::value value_of(const AccountField& field, const std::string& value) {
  if (field.kind != Kind::events && field.kind != Kind::ids) return boost::json::value(value);
  boost::json::array list;
  for (const std::string& entry : split_list(value)) list.emplace_back(entry);
  return list;
}

boost::json::object values_of(const AccountDraft& draft, const Uuid& id,
                              const config::SecretsAtRest& at_rest) {
  boost::json::object object;
  for (const auto& [name, value] : draft.values) {
    const AccountField& field = *find_account_field(name);
    object[name] =
        is_encrypted(field, at_rest)
            ? boost::json::value(at_rest.keys.seal(value, crypto::account_place(to_string(id), name)))
            : value_of(field, value);
  }
  for (const std::string& name : draft.cleared) object[name] = nullptr;
  if (draft.is_active) object["is_active"] = *draft.is_active;
  return object;
}

}  // namespace

std::span<const AccountField> account_fields() { return all_fields; }

const AccountField* find_account_field(std::string_view name) {
  const auto found = std::ranges::find(all_fields, name, &AccountField::name);
  return found == std::end(all_fields) ? nullptr : found;
}

std::optional<std::string> fault_of(const AccountField& field, const std::string& value) {
  if (value.empty()) return "is empty";
  if (std::ranges::any_of(value, is_control)) return "has a line break or another control character";
  if (first_characters(value, field.characters_max).size() < value.size())
    return fmt::format("is longer than {} characters", field.characters_max);
  return shape_fault(field, value);
}

std::optional<std::string> platform_label(std::string_view word) {
  if (word == "messenger") return "facebook";
  for (const std::string_view label : {"whatsapp", "whatsapp_business", "instagram", "facebook"})
    if (word == label) return std::string(label);
  return std::nullopt;
}

std::string AccountDraft::key() const {
  const auto found = values.find(platform.starts_with("whatsapp") ? "phone_number_id" : "page_id");
  return found == values.end() ? "" : found->second;
}

std::vector<std::string> faults_of_new(const AccountDraft& draft) {
  std::vector<std::string> faults = value_faults(draft);
  if (draft.platform.empty())
    faults.emplace_back("platform is whatsapp, whatsapp_business, instagram or messenger");
  if (draft.user.empty()) faults.emplace_back("user is missing: the owner's e-mail address or id");
  if (!draft.platform.empty() && draft.key().empty())
    faults.push_back(fmt::format("{} is missing: events are routed by it",
                                 draft.platform.starts_with("whatsapp") ? "phone_number_id" : "page_id"));
  return faults;
}

std::vector<std::string> faults_of_change(const AccountDraft& draft) {
  std::vector<std::string> faults = value_faults(draft);
  for (const std::string& name : draft.cleared) {
    if (auto fault = clear_fault(draft, name)) faults.push_back(std::move(*fault));
  }
  if (changed_fields(draft).empty()) faults.emplace_back("nothing to set: see --help");
  return faults;
}

std::vector<std::string> changed_fields(const AccountDraft& draft) {
  std::vector<std::string> names = draft.cleared;
  for (const auto& [name, value] : draft.values) names.push_back(name);
  if (draft.is_active) names.emplace_back("is_active");
  std::ranges::sort(names);
  return names;
}

store::AccountWrite new_account_row(AccountDraft draft, const Uuid& id, const Uuid& user,
                                    const config::SecretsAtRest& at_rest) {
  draft.values.try_emplace("account_id", draft.key());
  const auto name = draft.values.find("business_name");
  draft.values.try_emplace("username", name == draft.values.end() ? draft.key() : name->second);
  boost::json::object values = values_of(draft, id, at_rest);
  values["platform"] = draft.platform;
  return {.id = id, .new_for = user, .values = boost::json::serialize(values)};
}

store::AccountWrite changed_account_row(const AccountDraft& draft, const Uuid& id,
                                        const config::SecretsAtRest& at_rest) {
  return {.id = id, .new_for = std::nullopt, .values = boost::json::serialize(values_of(draft, id, at_rest))};
}

}  // namespace socialsync::operate
