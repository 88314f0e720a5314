// social_accounts for ingest.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "model/account.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// Subscribes the connection to socialsync_accounts, the NOTIFY channel for changes of accounts' routing and
// secrets. Notifications have no payload.
boost::asio::awaitable<void> listen_for_account_changes(pg::Connection& connection);

// Selects all accounts of platforms that send webhooks, oldest first, including inactive ones. Throws
// pg::Error.
boost::asio::awaitable<pg::ResultSet> select_accounts(pg::Connection& connection);

// An encrypted secret that cannot be decrypted.
struct UnreadableSecret {
  std::string account_id;
  std::string_view column;
  crypto::OpenError why = crypto::OpenError::tampered;
  std::string key_id;  // the key that it was encrypted under

  friend auto operator<=>(const UnreadableSecret&, const UnreadableSecret&) = default;
};

struct AccountsRead {
  std::vector<model::Account> accounts;
  std::vector<UnreadableSecret> unreadable;  // their accounts are read without secret and verify token
  bool any_opened = false;                   // at least one value was decrypted: the keys are right
};

// Reads the rows of select_accounts() and decrypts their secrets. Separate, because for many accounts it
// takes long enough to need another thread.
AccountsRead read_accounts(const pg::ResultSet& rows, const crypto::SecretKeys& keys);

// The values seen in an account's traffic since the last update.
struct Sighting {
  Uuid account_id;
  std::int64_t received_ms = 0;
  std::string waba_id = {};               // empty: unchanged
  std::string display_phone_number = {};  // empty: unchanged
};

// Updates all accounts in one statement, and one more when a value was learned. last_webhook_at never goes
// back; webhook_status becomes active; a WABA id is stored in webhook_metadata, a display_phone_number where
// it is NULL and no other account under the same secret has it. Throws pg::Error.
boost::asio::awaitable<void> record_sightings(pg::Connection& connection,
                                              std::span<const Sighting> sightings);

}  // namespace socialsync::store
