#include "route/changes.hpp"

#include <algorithm>
#include <unordered_map>

namespace socialsync::route {
namespace {

bool have_same_secrets(const Directory& before, const Tenant& old, const Directory& after,
                       const Tenant& now) {
  return std::ranges::equal(old.secrets, now.secrets, [&](SecretIndex left, SecretIndex right) {
    return before.secrets()[left] == after.secrets()[right];
  });
}

bool are_routed_alike(const model::Account& left, const model::Account& right) {
  return left.user_id == right.user_id && left.platform == right.platform && left.active == right.active &&
         left.display_phone_number == right.display_phone_number && keys_of(left) == keys_of(right);
}

}  // namespace

std::vector<std::string> keys_of(const model::Account& account) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& key) {
    if (!key.empty()) keys.push_back(key);
  };
  if (account.platform == model::Platform::whatsapp) {
    add(account.phone_number_id);
    add(account.waba_id);
    return keys;
  }
  add(account.page_id);
  for (const std::string& id : account.linked_ids) add(id);
  add(account.account_id);
  return keys;
}

std::vector<std::string> changed_keys(const Directory& before, const Directory& after) {
  std::unordered_map<Uuid, const Tenant*> left;
  for (const Tenant& tenant : before.tenants()) left.emplace(tenant.account.id, &tenant);
  std::vector<std::string> keys;
  const auto add = [&](const Tenant& tenant) {
    for (std::string& key : keys_of(tenant.account)) keys.push_back(std::move(key));
  };
  for (const Tenant& now : after.tenants()) {
    const auto found = left.find(now.account.id);
    const Tenant* old = found == left.end() ? nullptr : found->second;
    if (old) left.erase(found);
    if (old && are_routed_alike(old->account, now.account) && have_same_secrets(before, *old, after, now))
      continue;
    add(now);
    if (old) add(*old);
  }
  for (const auto& [id, gone] : left) add(*gone);
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
  return keys;
}

}  // namespace socialsync::route
