// Finding and erasing data: of one person, or of a whole account.
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

// An account whose customers are searched.
struct CustomersAccount {
  Uuid id;
  std::string platform;
  std::string name;
  std::vector<std::string> keys{};  // routing keys of its events in quarantine
  std::string number{};             // the business's own number as digits; empty when not set
};

// Finds accounts by id, phone number id or page id. Throws pg::Error, as all functions here do.
boost::asio::awaitable<std::vector<CustomersAccount>> find_customers_accounts(pg::Connection& connection,
                                                                              std::string text);

// A row that contains one of the fragments. The caller checks that it names the person.
struct NamingRow {
  Uuid id;
  std::string created_at;
  std::string type;
  std::string reason;       // in quarantine
  std::string routing_key;  // in quarantine; empty where it has none
  std::string customer;     // of an event
  std::string external_id;  // of an event
  std::string body;         // of an event: the payload as jsonb prints it
};

// The rows of one page that contain a fragment; `last_…` is the position to continue from.
struct NamingPage {
  std::vector<NamingRow> rows{};
  std::uint64_t looked_at = 0;
  std::string last_created_at{};
  Uuid last_id{};
  bool is_undated = false;  // these rows have no created_at
};

// Searches some thousand events of the account after `after`, in the order of created_at; rows without one
// come last.
boost::asio::awaitable<NamingPage> find_naming_events(pg::Connection& connection, const Uuid& account,
                                                      const std::vector<std::string>& fragments,
                                                      const std::optional<NamingPage>& after);

// Searches quarantined rows with one of the routing keys, or without one, in the same way.
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

// Deletes events of the account with their identities, pending deliveries and attempts, in one transaction.
boost::asio::awaitable<ErasedEvents> erase_events(pg::Connection& connection, const Uuid& account,
                                                  std::span<const Uuid> ids);

struct RemovedAccount {
  bool found = false;               // the account existed
  std::uint64_t logs = 0;           // rows of webhook_logs
  std::uint64_t quarantined = 0;    // rows of webhook_quarantine under keys that no other account has
  std::uint64_t identity_keys = 0;  // of its undated events
  std::uint64_t quarantine_bytes = 0;
  std::uint64_t deliveries = 0;  // pending, of its events
  std::uint64_t attempts = 0;    // of its events' deliveries
};

// Deactivates the account, so that gateways stop writing for it; deletes its events and its quarantined rows
// in batches, each a transaction of its own; then its row. Waits at most two seconds for a lock. Safe to run
// again after any interruption. Throws pg::Error.
boost::asio::awaitable<RemovedAccount> remove_account(pg::Connection& connection, Uuid id);

}  // namespace socialsync::store
