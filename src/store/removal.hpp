// Removes an account and all its data.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

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
