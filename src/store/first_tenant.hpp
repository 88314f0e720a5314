// The first tenant of a private database, from the single-tenant settings, or a demo account.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/failure.hpp"
#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

struct FirstAccount {
  std::string platform_label;  // whatsapp_business, instagram
  std::string key;             // the phone number id, the Instagram account's id
  std::string access_token;
  std::string app_secret;
  std::string verify_token;
};

// Inserts the account, or updates it from the settings. An encrypted value that equals the setting is kept,
// and so is one under a key that is not in `keys`. Throws pg::Error.
boost::asio::awaitable<void> upsert_first_account(pg::Connection& connection, FirstAccount account,
                                                  const crypto::SecretKeys& keys);

// Inserts a WhatsApp account named as a demo if the database has no account. It has its own app secret, or
// uses the environment's with `shares_secret`. Throws pg::Error.
boost::asio::awaitable<void> make_demo_account(pg::Connection& connection, bool shares_secret);

// An account's app secret cannot be decrypted. what() says why, and which setting is missing.
class SealedAppSecret : public Failure {
 public:
  explicit SealedAppSecret(const std::string& message) : Failure(Exit::wrong_usage, message) {}
};

// Returns the app secret of the account with this phone number id, page id or account id; nothing for an
// unknown account, or one without its own secret. Throws pg::Error, SealedAppSecret.
boost::asio::awaitable<std::optional<std::string>> find_app_secret(pg::Connection& connection,
                                                                   const std::string& key,
                                                                   const crypto::SecretKeys& keys);

// Returns the phone number id of the oldest active WhatsApp account, for a test message. Throws pg::Error.
boost::asio::awaitable<std::optional<std::string>> any_phone_number_id(pg::Connection& connection);

}  // namespace socialsync::store
