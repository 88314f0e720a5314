// The tenant directory: maps routing keys to accounts, in memory. Immutable; a reload replaces it.
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

// The reason why a signed event has no account; its name is the quarantine's reason.
enum class Refusal {
  unknown_account,    // no account has that routing key
  inactive_account,   // the account is not active
  secret_mismatch,    // the body was not signed under a secret of that account
  ambiguous_account,  // accounts of several users have that key
};
std::string_view to_string(Refusal refusal);

// Returns the digits of a phone number: "15550100" for "+1 (555) 010-0".
std::string digits_of(std::string_view number);

// An index into Directory::secrets().
using SecretIndex = std::uint32_t;

// The app secrets of the environment: used for accounts without a secret of their own.
struct SharedSecrets {
  std::vector<std::string> whatsapp;
  std::vector<std::string> instagram;
  std::vector<std::string> messenger;
};

// The secrets under which a body's signature is valid.
struct Signers {
  std::span<const SecretIndex> secrets;
  bool any_account = false;  // an unsigned body on a test route: accepted for every account
};

// True when a list of webhook_events contains this type. Without a list, true for all types.
bool wants(const std::optional<std::vector<std::string>>& webhook_events, std::string_view type);

// An account with its effective secrets.
struct Tenant {
  model::Account account;
  std::vector<SecretIndex> secrets;

  bool accepts(const Signers& signers) const;
  // True when the account subscribes to events of this type.
  bool wants(std::string_view type) const;
};

class Directory {
 public:
  // Among accounts of equal rank the earlier in the list wins.
  Directory(std::vector<model::Account> accounts, const SharedSecrets& shared);
  Directory(Directory&&) = default;  // no copies: verify_tokens_ points into tenants_

  // Adds the secrets of all accounts that could receive this event.
  void add_candidates(const model::Event& event, std::vector<SecretIndex>& candidates) const;

  // Sets `found` to the account of an event whose body is signed under `signers`. An event about a whole WABA
  // has all its active accounts. The pointers are valid as long as the directory.
  Result<void, Refusal> find(const model::Event& event, const Signers& signers,
                             std::vector<const Tenant*>& found) const;

  // True when the body is signed under a secret of the environment.
  bool is_apps(const Signers& signers) const;

  // True when an id can be stored as that of a WABA: it has only digits, and is not the phone number id of an
  // account, which it would hide.
  bool may_be_waba(std::string_view id) const;

  // True when a number can be stored as the display_phone_number of an account: the account has none, and no
  // other account under the same secret has that number. One of the two would hide the other.
  bool may_learn_display(const Tenant& tenant, std::string_view number) const;

  // All distinct secrets; those of the environment come first.
  const std::vector<std::string>& secrets() const { return secrets_; }
  std::size_t shared_secret_count() const { return shared_secret_count_; }

  // The verify tokens of active accounts.
  const std::vector<std::string_view>& verify_tokens() const { return verify_tokens_; }

  const std::vector<Tenant>& tenants() const { return tenants_; }
  std::size_t size() const { return tenants_.size(); }

 private:
  // A lower rank is a better match: page_id, then a linked id, then account_id, which a signed-in user may
  // have been able to write.
  struct Entry {
    std::uint32_t tenant;
    std::uint8_t rank;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  using Index = std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>>;

  // The accounts that may receive an event.
  struct Claim {
    std::span<const Entry> entries;
    bool is_each = false;                     // all of them receive it, not only the best match
    std::optional<std::string> display = {};  // only the accounts whose display number has these digits
  };

  SecretIndex intern(const std::string& secret);
  void add_keys(std::uint32_t tenant);
  static std::span<const Entry> look_up(const Index& index, std::string_view key);
  static void add_key(Index& index, const std::string& key, Entry entry);
  // Without signers: for any possible signer. An account that a tenant registers under its own secret hides
  // no account from bodies signed under another secret.
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
  Index businesses_;  // WhatsApp's linked ids
  Index instagram_;
  Index pages_;
};

}  // namespace socialsync::route
