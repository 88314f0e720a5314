// social_accounts, as ingest uses it.
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

// The channel on which a change of any account's routing or secrets is announced, without a payload.
inline constexpr const char* accounts_channel = "socialsync_accounts";

// Subscribes the connection to accounts_channel.
boost::asio::awaitable<void> listen_for_account_changes(pg::Connection& connection);

// Every account of a platform that sends webhooks, oldest first, inactive ones too. Throws pg::Error.
boost::asio::awaitable<pg::ResultSet> select_accounts(pg::Connection& connection);

// A sealed secret that cannot be opened.
struct UnreadableSecret {
  std::string account_id;
  std::string_view column;
  crypto::OpenError why = crypto::OpenError::tampered;
  std::string key_id;  // the one it names

  friend auto operator<=>(const UnreadableSecret&, const UnreadableSecret&) = default;
};

struct AccountsRead {
  std::vector<model::Account> accounts;
  std::vector<UnreadableSecret> unreadable;  // their accounts have no secret, and no verify token
  bool any_opened = false;                   // a sealed value was opened: the keys are the right ones
};

// The rows of select_accounts(), read, sealed secrets opened. Apart from it, since for many accounts it takes
// long enough to be done on another thread.
AccountsRead read_accounts(const pg::ResultSet& rows, const crypto::SecretKeys& keys);

// What an account's traffic has shown since the last update.
struct Sighting {
  Uuid account_id;
  std::int64_t received_ms = 0;
  std::string waba_id = {};               // empty: nothing new learned
  std::string display_phone_number = {};  // the same
};

// One update for all of them, and one more when something new was learned: last_webhook_at never goes back,
// webhook_status becomes active, a learned WABA id goes to webhook_metadata, a learned display_phone_number
// where there is none, and no other account under the same secret has it. Throws pg::Error.
boost::asio::awaitable<void> record_sightings(pg::Connection& connection,
                                              std::span<const Sighting> sightings);

}  // namespace socialsync::store
