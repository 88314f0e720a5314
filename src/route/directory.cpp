#include "route/directory.hpp"

#include <algorithm>

namespace socialsync::route {
namespace {

const std::vector<std::string>& shared_for(const SharedSecrets& shared, model::Platform platform) {
  switch (platform) {
    case model::Platform::instagram: return shared.instagram;
    case model::Platform::messenger: return shared.messenger;
    case model::Platform::whatsapp: break;
  }
  return shared.whatsapp;
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_account: return "unknown_account";
    case Refusal::inactive_account: return "inactive_account";
    case Refusal::secret_mismatch: return "secret_mismatch";
    case Refusal::ambiguous_account: return "ambiguous_account";
  }
  return "unknown";
}

bool Tenant::accepts(const Signers& signers) const {
  return signers.any_account || std::ranges::any_of(secrets, [&](SecretIndex secret) {
           return std::ranges::find(signers.secrets, secret) != signers.secrets.end();
         });
}

bool Tenant::wants(std::string_view type) const {
  return !account.webhook_events ||
         std::ranges::find(*account.webhook_events, type) != account.webhook_events->end();
}

Directory::Directory(std::vector<model::Account> accounts, const SharedSecrets& shared) {
  for (const auto* list : {&shared.whatsapp, &shared.instagram, &shared.messenger}) {
    for (const std::string& secret : *list) intern(secret);
  }
  shared_secret_count_ = secrets_.size();
  tenants_.reserve(accounts.size());
  for (model::Account& account : accounts) {
    const auto& effective =
        account.app_secrets.empty() ? shared_for(shared, account.platform) : account.app_secrets;
    Tenant tenant;
    for (const std::string& secret : effective) tenant.secrets.push_back(intern(secret));
    tenant.account = std::move(account);
    tenants_.push_back(std::move(tenant));
    add_keys(static_cast<std::uint32_t>(tenants_.size() - 1));
  }
  for (const Tenant& tenant : tenants_) {
    if (tenant.account.active && !tenant.account.verify_token.empty())
      verify_tokens_.push_back(tenant.account.verify_token);
  }
}

SecretIndex Directory::intern(const std::string& secret) {
  const auto [found, is_new] = interned_.try_emplace(secret, static_cast<SecretIndex>(secrets_.size()));
  if (is_new) secrets_.push_back(secret);
  return found->second;
}

void Directory::add_key(Index& index, const std::string& key, Entry entry) {
  if (key.empty()) return;
  std::vector<Entry>& entries = index[key];
  const bool known = std::ranges::any_of(entries, [&](Entry other) { return other.tenant == entry.tenant; });
  if (known) return;  // under a better rank: keys are added best first
  const auto worse = std::ranges::find_if(entries, [&](Entry other) { return other.rank > entry.rank; });
  entries.insert(worse, entry);
}

void Directory::add_keys(std::uint32_t tenant) {
  const model::Account& account = tenants_[tenant].account;
  if (account.platform == model::Platform::whatsapp) {
    add_key(phone_numbers_, account.phone_number_id, {tenant, 0});
    add_key(wabas_, account.waba_id, {tenant, 0});
    return;
  }
  Index& index = account.platform == model::Platform::instagram ? instagram_ : pages_;
  add_key(index, account.page_id, {tenant, 0});
  for (const std::string& id : account.linked_ids) add_key(index, id, {tenant, 1});
  add_key(index, account.account_id, {tenant, 2});
}

std::span<const Directory::Entry> Directory::entries(const model::Event& event) const {
  const auto look_up = [](const Index& index, std::string_view key) -> std::span<const Entry> {
    const auto found = index.find(key);
    if (found == index.end()) return {};
    return found->second;
  };
  if (event.platform == model::Platform::instagram) return look_up(instagram_, event.key.entry_id);
  if (event.platform == model::Platform::messenger) return look_up(pages_, event.key.entry_id);
  // A number that is named but unknown is not looked for under its WABA: another number there may belong to
  // somebody else.
  if (!event.key.phone_number_id.empty()) return look_up(phone_numbers_, event.key.phone_number_id);
  const auto by_waba = look_up(wabas_, event.key.entry_id);
  return by_waba.empty() ? look_up(phone_numbers_, event.key.entry_id) : by_waba;
}

void Directory::add_candidates(const model::Event& event, std::vector<SecretIndex>& candidates) const {
  for (const Entry entry : entries(event)) {
    for (const SecretIndex secret : tenants_[entry.tenant].secrets) {
      if (std::ranges::find(candidates, secret) == candidates.end()) candidates.push_back(secret);
    }
  }
}

bool Directory::may_be_waba(std::string_view id) const {
  constexpr std::size_t digits_max = 32;
  const bool is_number = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  return is_number && !id.empty() && id.size() <= digits_max && !phone_numbers_.contains(id);
}

Result<const Tenant*, Refusal> Directory::find(const model::Event& event, const Signers& signers) const {
  const Tenant* chosen = nullptr;
  const Tenant* claimant = nullptr;
  Refusal refusal = Refusal::unknown_account;
  const std::span<const Entry> candidates = entries(event);
  for (const Entry entry : candidates) {
    // The best match decides, even one that is switched off: nobody inherits its events.
    if (entry.rank > candidates.front().rank) break;
    const Tenant& tenant = tenants_[entry.tenant];
    if (!tenant.accepts(signers)) {
      refusal = Refusal::secret_mismatch;
      continue;
    }
    if (claimant && claimant->account.user_id != tenant.account.user_id) return Refusal::ambiguous_account;
    claimant = &tenant;
    if (tenant.account.active && !chosen) chosen = &tenant;
  }
  if (chosen) return chosen;
  return claimant ? Refusal::inactive_account : refusal;
}

}  // namespace socialsync::route
