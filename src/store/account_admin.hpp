// social_accounts, as an operator lists and changes them. What ingest reads is in accounts.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// An account as text; empty where a column is NULL. No secret is in it, only whether there is one.
struct AccountRecord {
  Uuid id;
  Uuid user_id;
  std::string email;
  std::string platform;  // the database's label: whatsapp_business, facebook, …
  bool is_active = false;
  std::string account_id;
  std::string username;
  std::string display_name;
  std::string business_name;
  std::string phone_number_id;
  std::string page_id;
  std::string display_phone_number;
  std::string waba_id;
  std::string linked_ids;  // with commas between
  std::string webhook_url;
  std::string webhook_status;
  std::optional<std::string> webhook_events;  // with commas between; nothing: all
  std::string last_webhook_at;                // ISO 8601, UTC
  std::string created_at;
  bool has_app_secret = false;
  bool has_verify_token = false;
  bool has_access_token = false;
  bool has_refresh_token = false;

  // What Meta names it by: of WhatsApp the phone number id, else the page id; without one the account id.
  const std::string& key() const;
};

struct AccountFilter {
  // Any of them empty: all.
  std::string name;      // id, phone number id, page id, account id, linked id, or the digits of its number
  std::string platform;  // a label
  std::string user;      // e-mail address or id
  std::optional<bool> is_active;
  std::uint64_t limit = 1'000'000;
};

// Of platforms that send webhooks, newest first. Throws pg::Error.
boost::asio::awaitable<std::vector<AccountRecord>> find_accounts(pg::Connection& connection,
                                                                 const AccountFilter& filter);

// The users with those e-mail addresses or ids, by what they were asked for. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, Uuid>> find_users(pg::Connection& connection,
                                                               const std::vector<std::string>& names);

// Ids for rows to be made. Throws pg::Error.
boost::asio::awaitable<std::vector<Uuid>> new_ids(pg::Connection& connection, std::size_t count);

struct NewUser {
  Uuid id;
  std::string email;
};

// A row to be made or changed. `values` is a JSON object whose names are columns of social_accounts, and
// waba_id and linked_ids for those places in webhook_metadata; lists are arrays, null takes a value away.
struct AccountWrite {
  Uuid id;
  std::optional<Uuid> new_for;  // the user of a new account; nothing: the account is there
  std::string values;
};

// All in one transaction, the users first. Gives how many accounts were written: one that is gone is not, nor
// an id of one whose webhook_metadata is no object. Throws pg::Error.
boost::asio::awaitable<std::size_t> write_accounts(pg::Connection& connection,
                                                   const std::vector<NewUser>& users,
                                                   const std::vector<AccountWrite>& writes);

// How many rows of quarantine wait for any of these routing keys, by reason, and how many of an account's
// events of the last day there are, by type: what `accounts check` tells.
struct Count {
  std::string name;
  std::uint64_t rows = 0;
};
boost::asio::awaitable<std::vector<Count>> count_waiting(pg::Connection& connection,
                                                         const std::vector<std::string>& routing_keys);
boost::asio::awaitable<std::vector<Count>> count_events_of_a_day(pg::Connection& connection,
                                                                 const Uuid& account_id);

}  // namespace socialsync::store
