#include "cli/accounts/draft.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/accounts/fields.hpp"

namespace socialsync::cli::accounts {
namespace {

bool is_whatsapp(const Draft& draft) { return draft.platform.starts_with("whatsapp"); }

bool is_to_seal(const Field& field, const config::SecretsAtRest& at_rest) {
  if (field.kind != Field::Kind::secret || at_rest.keys.empty()) return false;
  const bool is_gateways = field.name == "app_secret" || field.name == "verify_token";
  return is_gateways || std::ranges::find(at_rest.sealed_columns, field.name) != at_rest.sealed_columns.end();
}

}  // namespace

std::string Draft::key() const {
  const auto found = values.find(platform.starts_with("whatsapp") ? "phone_number_id" : "page_id");
  return found == values.end() ? "" : found->second;
}

std::vector<std::string> faults_of(const Draft& draft, bool is_new, bool any_event) {
  std::vector<std::string> faults;
  for (const auto& [name, value] : draft.values) {
    if (const auto fault = fault_of(*find_field(name), value, any_event))
      faults.push_back(fmt::format("{} {}", name, *fault));
  }
  if (!is_new) return faults;
  if (draft.platform.empty())
    faults.emplace_back("platform is whatsapp, whatsapp_business, instagram or messenger");
  if (draft.user.empty())
    faults.emplace_back("user is missing: whose account it is, by e-mail address or id");
  if (!draft.platform.empty() && draft.key().empty())
    faults.push_back(fmt::format("{} is missing: events are routed by it",
                                 is_whatsapp(draft) ? "phone_number_id" : "page_id"));
  return faults;
}

void complete(Draft& draft) {
  draft.values.try_emplace("account_id", draft.key());
  const auto name = draft.values.find("business_name");
  draft.values.try_emplace("username", name == draft.values.end() ? draft.key() : name->second);
}

store::AccountWrite write_of(const Draft& draft, const Uuid& id, std::optional<Uuid> new_for,
                             const config::SecretsAtRest& at_rest) {
  boost::json::object object;
  if (new_for) object["platform"] = draft.platform;
  for (const auto& [name, value] : draft.values) {
    const Field& field = *find_field(name);
    object[name] =
        is_to_seal(field, at_rest)
            ? boost::json::value(at_rest.keys.seal(value, crypto::account_place(to_string(id), name)))
            : json_of(field, value);
  }
  for (const std::string& name : draft.cleared) object[name] = nullptr;
  if (draft.is_active) object["is_active"] = *draft.is_active;
  return {.id = id, .new_for = new_for, .values = boost::json::serialize(object)};
}

}  // namespace socialsync::cli::accounts
