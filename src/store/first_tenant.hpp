// The first tenant of a private database: from the single-tenant settings, or a demo.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/awaitable.hpp>

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

// Makes the account, or brings what the settings say up to date; a sealed value that says the same stays, and
// so does one under a key that is not one of `keys`. Throws pg::Error.
boost::asio::awaitable<void> upsert_first_account(pg::Connection& connection, FirstAccount account,
                                                  const crypto::SecretKeys& keys);

// Makes a WhatsApp account that says in its name that it is a demo, unless there is any account. It has an
// app secret of its own, or goes by the environment's when it `shares_secret`. Throws pg::Error.
boost::asio::awaitable<void> make_demo_account(pg::Connection& connection, bool shares_secret);

// An account's app secret is sealed and cannot be opened. what() says why, and what to set.
class SealedAppSecret : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The app secret of the account that `key` (a phone number id, a page or account id) names; nothing when
// there is no such account or it has no secret of its own. Throws pg::Error, SealedAppSecret.
boost::asio::awaitable<std::optional<std::string>> find_app_secret(pg::Connection& connection,
                                                                   const std::string& key,
                                                                   const crypto::SecretKeys& keys);

// A phone number id to send a test message to: the oldest active WhatsApp account's. Throws pg::Error.
boost::asio::awaitable<std::optional<std::string>> any_phone_number_id(pg::Connection& connection);

}  // namespace socialsync::store
