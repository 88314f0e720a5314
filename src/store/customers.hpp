// What is kept of one person, to be found and erased.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// An account, as far as its customers are concerned.
struct CustomersAccount {
  Uuid id;
  std::string platform;
  std::string name;
  std::vector<std::string> keys{};  // under which its events may be in quarantine
  std::string number{};             // the business's own, its digits; empty when it is not set
};

// The accounts that go by `text`: an id, phone number id or page id. Throws pg::Error, as all of these do.
boost::asio::awaitable<std::vector<CustomersAccount>> find_customers_accounts(pg::Connection& connection,
                                                                              std::string text);

// A row that holds one of the fragments; whether it names the person is for the caller to see.
struct NamingRow {
  Uuid id;
  std::string created_at;
  std::string type;
  std::string reason;       // in quarantine
  std::string routing_key;  // in quarantine; empty where it has none
  std::string customer;     // of an event
  std::string external_id;  // of an event
  std::string body;         // of an event the payload as jsonb prints it
};

// So many rows were looked at, of which these hold a fragment; `last` is where to go on.
struct NamingPage {
  std::vector<NamingRow> rows{};
  std::uint64_t looked_at = 0;
  std::string last_created_at{};
  Uuid last_id{};
  bool is_undated = false;  // these have no time of arrival
};

// Events of the account behind `after` in the order of arrival, some thousand at a time; those without a time
// of arrival come last.
boost::asio::awaitable<NamingPage> find_naming_events(pg::Connection& connection, const Uuid& account,
                                                      const std::vector<std::string>& fragments,
                                                      const std::optional<NamingPage>& after);

// The same for rows of quarantine under one of the keys, or under none.
boost::asio::awaitable<NamingPage> find_naming_quarantined(pg::Connection& connection,
                                                           const std::vector<std::string>& keys,
                                                           const std::vector<std::string>& fragments,
                                                           const std::optional<NamingPage>& after);

struct ErasedEvents {
  std::uint64_t events = 0;
  std::uint64_t identity_keys = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t attempts = 0;
};

// Removes events of the account, the identities of those that have no time of their own, what of them is
// still to be delivered and what is known of the attempts, in one transaction.
boost::asio::awaitable<ErasedEvents> erase_events(pg::Connection& connection, const Uuid& account,
                                                  std::span<const Uuid> ids);

}  // namespace socialsync::store
