#include "route/directory.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

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

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// True for a phone number as people write one, with at most the digits of E.164, that fits its column.
bool is_phone_number(std::string_view text) {
  constexpr std::size_t characters_max = 20, digits_min = 5, digits_max = 15;
  const std::size_t digits = digits_of(text).size();
  return text.size() <= characters_max && digits >= digits_min && digits <= digits_max &&
         text.find_first_not_of("0123456789+ -.()") == std::string_view::npos;
}

}  // namespace

std::string digits_of(std::string_view number) {
  std::string digits;
  std::ranges::copy_if(number, std::back_inserter(digits), is_digit);
  return digits;
}

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

bool wants(const std::optional<std::vector<std::string>>& webhook_events, std::string_view type) {
  return !webhook_events || std::ranges::find(*webhook_events, type) != webhook_events->end();
}

bool Tenant::wants(std::string_view type) const { return route::wants(account.webhook_events, type); }

Directory::Directory(std::vector<model::Account> accounts, const SharedSecrets& shared) {
  for (const auto* list : {&shared.whatsapp, &shared.instagram, &shared.messenger}) {
    for (const std::string& secret : *list) intern(secret);
  }
  shared_secret_count_ = secrets_.size();
  tenants_.reserve(accounts.size());
  for (model::Account& account : accounts) {
    const bool is_shared = account.app_secrets.empty() && !account.has_unreadable_secret;
    const auto& effective = is_shared ? shared_for(shared, account.platform) : account.app_secrets;
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
  if (known) return;  // with a better rank: keys are added best rank first
  const auto worse = std::ranges::find_if(entries, [&](Entry other) { return other.rank > entry.rank; });
  entries.insert(worse, entry);
}

void Directory::add_keys(std::uint32_t tenant) {
  const model::Account& account = tenants_[tenant].account;
  if (account.platform == model::Platform::whatsapp) {
    add_key(phone_numbers_, account.phone_number_id, {tenant, 0});
    add_key(display_numbers_, digits_of(account.display_phone_number), {tenant, 0});
    add_key(wabas_, account.waba_id, {tenant, 0});
    for (const std::string& id : account.linked_ids) add_key(businesses_, id, {tenant, 0});
    return;
  }
  Index& index = account.platform == model::Platform::instagram ? instagram_ : pages_;
  add_key(index, account.page_id, {tenant, 0});
  for (const std::string& id : account.linked_ids) add_key(index, id, {tenant, 1});
  add_key(index, account.account_id, {tenant, 2});
}

std::span<const Directory::Entry> Directory::look_up(const Index& index, std::string_view key) {
  const auto found = index.find(key);
  if (found == index.end()) return {};
  return found->second;
}

Directory::Claim Directory::claim(const model::Event& event, const Signers* signers) const {
  if (event.platform == model::Platform::instagram)
    return {.entries = look_up(instagram_, event.key.entry_id)};
  if (event.platform == model::Platform::messenger) return {.entries = look_up(pages_, event.key.entry_id)};
  // An event that names an unknown number is not routed by its WABA: other numbers of the WABA may belong to
  // another tenant.
  if (event.key.phone_number_id.empty()) return claim_without_number(event.key, signers);
  return {.entries = look_up(phone_numbers_, event.key.phone_number_id)};
}

bool Directory::any_accepts(std::span<const Entry> entries, const Signers* signers) const {
  return std::ranges::any_of(
      entries, [&](const Entry& entry) { return !signers || tenants_[entry.tenant].accepts(*signers); });
}

Directory::Claim Directory::claim_without_number(const model::RoutingKey& key, const Signers* signers) const {
  const bool is_partners = !key.waba_id.empty() || !key.business_id.empty();
  const auto of_waba = look_up(wabas_, is_partners ? key.waba_id : key.entry_id);
  if (any_accepts(of_waba, signers)) return claim_of_waba(of_waba, key, signers);
  const Claim other = claim_without_waba(key, is_partners);
  // A WABA whose accounts have other secrets hides no other account, but is not unknown either.
  return other.entries.empty() && !of_waba.empty() ? Claim{.entries = of_waba, .is_each = true} : other;
}

Directory::Claim Directory::claim_without_waba(const model::RoutingKey& key, bool is_partners) const {
  const std::string display = digits_of(key.display_phone_number);
  if (!display.empty()) return {.entries = look_up(display_numbers_, display)};
  if (is_partners) return {.entries = look_up(businesses_, key.business_id), .is_each = true};
  return {.entries = look_up(phone_numbers_, key.entry_id)};
}

Directory::Claim Directory::claim_of_waba(std::span<const Entry> of_waba, const model::RoutingKey& key,
                                          const Signers* signers) const {
  Claim claim{.entries = of_waba, .is_each = true};
  const std::string display = digits_of(key.display_phone_number);
  if (display.empty()) return claim;
  // In a WABA that tenants share, an event that names a number goes to that number's account. An account
  // whose number is not known gets it too, unless another account has the number.
  claim.display = display;
  const bool is_known = std::ranges::any_of(of_waba, [&](const Entry& entry) {
    return covers(claim, tenants_[entry.tenant]) && any_accepts(std::span(&entry, 1), signers);
  });
  if (!is_known) claim.display = "";
  return claim;
}

bool Directory::covers(const Claim& claim, const Tenant& tenant) const {
  return !claim.display || digits_of(tenant.account.display_phone_number) == *claim.display;
}

void Directory::add_candidates(const model::Event& event, std::vector<SecretIndex>& candidates) const {
  const Claim claim = this->claim(event, nullptr);
  for (const Entry entry : claim.entries) {
    if (!covers(claim, tenants_[entry.tenant])) continue;
    for (const SecretIndex secret : tenants_[entry.tenant].secrets) {
      if (std::ranges::find(candidates, secret) == candidates.end()) candidates.push_back(secret);
    }
  }
}

bool Directory::is_apps(const Signers& signers) const {
  return signers.any_account || std::ranges::any_of(signers.secrets, [this](SecretIndex secret) {
           return secret < shared_secret_count_;
         });
}

bool Directory::may_be_waba(std::string_view id) const {
  constexpr std::size_t digits_max = 32;
  const bool is_number = std::ranges::all_of(id, is_digit);
  return is_number && !id.empty() && id.size() <= digits_max && !phone_numbers_.contains(id);
}

bool Directory::may_learn_display(const Tenant& tenant, std::string_view number) const {
  if (!tenant.account.display_phone_number.empty() || !is_phone_number(number)) return false;
  const Signers same{.secrets = tenant.secrets};
  return std::ranges::none_of(look_up(display_numbers_, digits_of(number)),
                              [&](const Entry& entry) { return tenants_[entry.tenant].accepts(same); });
}

Result<void, Refusal> Directory::find(const model::Event& event, const Signers& signers,
                                      std::vector<const Tenant*>& found) const {
  found.clear();
  const Tenant* claimant = nullptr;
  Refusal refusal = Refusal::unknown_account;
  const Claim claim = this->claim(event, &signers);
  for (const Entry entry : claim.entries) {
    // The best match decides, even an inactive one: no other account inherits its events.
    if (entry.rank > claim.entries.front().rank) break;
    const Tenant& tenant = tenants_[entry.tenant];
    if (!covers(claim, tenant)) continue;
    if (!tenant.accepts(signers)) {
      refusal = Refusal::secret_mismatch;
      continue;
    }
    const bool is_others = claimant && claimant->account.user_id != tenant.account.user_id;
    if (is_others && !claim.is_each) return Refusal::ambiguous_account;
    claimant = &tenant;
    if (tenant.account.active && (found.empty() || claim.is_each)) found.push_back(&tenant);
  }
  if (!found.empty()) return {};
  return claimant ? Refusal::inactive_account : refusal;
}

}  // namespace socialsync::route
