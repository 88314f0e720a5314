// The first tenant of a private database: from the single-tenant settings, or a demo.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"

namespace socialsync::store {

struct FirstAccount {
  std::string platform_label;  // whatsapp_business, instagram
  std::string key;             // the phone number id, the Instagram account's id
  std::string access_token;
  std::string app_secret;
  std::string verify_token;
};

// Makes the account, or brings what the settings say up to date. Throws pg::Error.
boost::asio::awaitable<void> upsert_first_account(pg::Connection& connection, const FirstAccount& account);

// Makes a WhatsApp account that says in its name that it is a demo, unless there is any account. It has an
// app secret of its own, or goes by the environment's when it `shares_secret`. Throws pg::Error.
boost::asio::awaitable<void> make_demo_account(pg::Connection& connection, bool shares_secret);

// The app secret of the account that `key` (a phone number id, a page or account id) names; nothing when
// there is no such account or it has no secret of its own. Throws pg::Error.
boost::asio::awaitable<std::optional<std::string>> find_app_secret(pg::Connection& connection,
                                                                   const std::string& key);

// A phone number id to send a test message to: the oldest active WhatsApp account's. Throws pg::Error.
boost::asio::awaitable<std::optional<std::string>> any_phone_number_id(pg::Connection& connection);

}  // namespace socialsync::store
