// The tenant directory: routing key to account, in memory, immutable. A new one replaces it whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "model/account.hpp"
#include "model/event.hpp"

namespace socialsync::route {

// Why a signed event has no account. The name is also the quarantine's reason.
enum class Refusal {
  unknown_account,    // no account has that routing key
  inactive_account,   // there is one, but it is switched off
  secret_mismatch,    // the body was not signed under a secret of that account
  ambiguous_account,  // accounts of several users answer to that key
};
std::string_view to_string(Refusal refusal);

// "+1 (555) 010-0" and "15550100" are one number.
std::string digits_of(std::string_view number);

// A place in Directory::secrets().
using SecretIndex = std::uint32_t;

// The environment's app secrets: they stand behind accounts that have none of their own.
struct SharedSecrets {
  std::vector<std::string> whatsapp;
  std::vector<std::string> instagram;
  std::vector<std::string> messenger;
};

// Who vouches for a body.
struct Signers {
  std::span<const SecretIndex> secrets;
  bool any_account = false;  // an unsigned body on a developer's test route: taken for every account
};

// Whether a list of webhook_events has this type. No list has all.
bool wants(const std::optional<std::vector<std::string>>& webhook_events, std::string_view type);

// An account with its effective secrets.
struct Tenant {
  model::Account account;
  std::vector<SecretIndex> secrets;

  bool accepts(const Signers& signers) const;
  // Whether the account asked for events of this type.
  bool wants(std::string_view type) const;
};

class Directory {
 public:
  // Accounts earlier in the list win ties.
  Directory(std::vector<model::Account> accounts, const SharedSecrets& shared);
  Directory(Directory&&) = default;  // not copied: verify_tokens_ points into tenants_

  // Adds the secrets under which any account that could receive this event would take it.
  void add_candidates(const model::Event& event, std::vector<SecretIndex>& candidates) const;

  // Puts into `found` whose an event is, of a body that `signers` vouch for: one account; what is about a
  // whole WABA, each active account of it. The pointers live as long as the directory.
  Result<void, Refusal> find(const model::Event& event, const Signers& signers,
                             std::vector<const Tenant*>& found) const;

  // Whether the app itself vouches: a secret of the environment, not a tenant's own.
  bool is_apps(const Signers& signers) const;

  // Whether an id can be learned as that of a WABA: digits, and nobody's phone number id, which it would
  // hide.
  bool may_be_waba(std::string_view id) const;

  // Whether a number can be learned as the display_phone_number of an account: it has none, and no other
  // account that the same secret signs for has that one, which would then hide it or be hidden.
  bool may_learn_display(const Tenant& tenant, std::string_view number) const;

  // Every distinct secret; those of the environment come first.
  const std::vector<std::string>& secrets() const { return secrets_; }
  std::size_t shared_secret_count() const { return shared_secret_count_; }

  // The verify tokens of active accounts.
  const std::vector<std::string_view>& verify_tokens() const { return verify_tokens_; }

  const std::vector<Tenant>& tenants() const { return tenants_; }
  std::size_t size() const { return tenants_.size(); }

 private:
  // A lower rank is a better match: a page_id before a linked id before an account_id, which a signed-in user
  // may have been able to write.
  struct Entry {
    std::uint32_t tenant;
    std::uint8_t rank;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  using Index = std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>>;

  // Who may claim an event.
  struct Claim {
    std::span<const Entry> entries;
    bool is_each = false;                     // each of them, not the best of them
    std::optional<std::string> display = {};  // only those whose display number has these digits
  };

  SecretIndex intern(const std::string& secret);
  void add_keys(std::uint32_t tenant);
  static std::span<const Entry> look_up(const Index& index, std::string_view key);
  static void add_key(Index& index, const std::string& key, Entry entry);
  // Without signers: of whoever may have signed it. What a tenant claims under a secret of its own hides
  // nobody from the signers of another.
  Claim claim(const model::Event& event, const Signers* signers) const;
  Claim claim_without_number(const model::RoutingKey& key, const Signers* signers) const;
  Claim claim_without_waba(const model::RoutingKey& key, bool is_partners) const;
  Claim claim_of_waba(std::span<const Entry> of_waba, const model::RoutingKey& key,
                      const Signers* signers) const;
  bool any_accepts(std::span<const Entry> entries, const Signers* signers) const;
  bool covers(const Claim& claim, const Tenant& tenant) const;

  std::vector<Tenant> tenants_;
  std::vector<std::string> secrets_;
  std::size_t shared_secret_count_ = 0;
  std::unordered_map<std::string, SecretIndex> interned_;
  std::vector<std::string_view> verify_tokens_;

  Index phone_numbers_;
  Index display_numbers_;  // by their digits
  Index wabas_;
  Index businesses_;  // of WhatsApp: the linked ids
  Index instagram_;
  Index pages_;
};

}  // namespace socialsync::route
