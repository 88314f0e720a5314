// social_accounts for operators: list and change. accounts.hpp has the columns for ingest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// An account as text; empty where a column is NULL. Holds no secret, only whether one is set.
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
  std::string linked_ids;  // comma-separated
  std::string webhook_url;
  std::string webhook_status;
  std::optional<std::string> webhook_events;  // comma-separated; nothing: all
  std::string last_webhook_at;                // ISO 8601, UTC
  std::string created_at;
  bool has_app_secret = false;
  bool has_verify_token = false;
  bool has_access_token = false;
  bool has_refresh_token = false;

  // The id in Meta's webhooks: the phone number id (WhatsApp) or the page id, else the account id.
  const std::string& key() const;
};

// A column of AccountRecord: selected, listed in JSON and shown in this order.
struct AccountColumn {
  using Member = std::variant<Uuid AccountRecord::*, std::string AccountRecord::*, bool AccountRecord::*,
                              std::optional<std::string> AccountRecord::*>;

  const char* name;  // of the JSON member
  Member member;
  const char* sql;              // over `a` (social_accounts) and `u` (users)
  const char* title = nullptr;  // in `accounts show`; null: the name
  const char* if_true = "yes";  // shown for a bool
  const char* if_absent = "-";  // shown for false, empty and NULL
  bool is_list = false;         // comma-separated; an array in JSON
};
std::span<const AccountColumn> account_columns();

struct AccountFilter {
  // An empty member matches all accounts.
  std::string name;      // id, phone number id, page id, account id, linked id, or the digits of its number
  std::string platform;  // a label
  std::string user;      // e-mail address or id
  std::optional<bool> is_active;
  std::uint64_t limit = 1'000'000;
};

// Returns the matching accounts of platforms that send webhooks, newest first. Throws pg::Error.
boost::asio::awaitable<std::vector<AccountRecord>> find_accounts(pg::Connection& connection,
                                                                 const AccountFilter& filter);

// Finds users by e-mail address or id; the map's key is the text that was asked for. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, Uuid>> find_users(pg::Connection& connection,
                                                               const std::vector<std::string>& names);

// Returns ids for new rows. Throws pg::Error.
boost::asio::awaitable<std::vector<Uuid>> new_ids(pg::Connection& connection, std::size_t count);

struct NewUser {
  Uuid id;
  std::string email;
};

// A row to insert or update. `values` is a JSON object whose members are columns of social_accounts, and
// waba_id and linked_ids for these members of webhook_metadata. Lists are arrays; null clears a value.
struct AccountWrite {
  Uuid id;
  std::optional<Uuid> new_for;  // the user of a new account; nothing: an existing account
  std::string values;
};

// Writes all in one transaction, users first. Returns the number of accounts written: a deleted account is
// skipped, and so is an id for a webhook_metadata that is not an object. Throws pg::Error.
boost::asio::awaitable<std::size_t> write_accounts(pg::Connection& connection,
                                                   const std::vector<NewUser>& users,
                                                   const std::vector<AccountWrite>& writes);

// Counts quarantined rows of these routing keys by reason, and an account's events of the last day by type,
// for `accounts check`.
struct Count {
  std::string name;
  std::uint64_t rows = 0;
};
boost::asio::awaitable<std::vector<Count>> count_waiting(pg::Connection& connection,
                                                         const std::vector<std::string>& routing_keys);
boost::asio::awaitable<std::vector<Count>> count_events_of_a_day(pg::Connection& connection,
                                                                 const Uuid& account_id);

}  // namespace socialsync::store
