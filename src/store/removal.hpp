// An account and all that is kept because of it, taken away.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

struct RemovedAccount {
  bool found = false;               // there was such an account
  std::uint64_t logs = 0;           // rows of webhook_logs
  std::uint64_t quarantined = 0;    // rows of webhook_quarantine under keys that no other account has
  std::uint64_t identity_keys = 0;  // of its undated events
  std::uint64_t quarantine_bytes = 0;
  std::uint64_t deliveries = 0;  // of its events, still to be made
  std::uint64_t attempts = 0;    // to deliver them
};

// Switches the account off, so that gateways stop writing for it, then removes its events and what waits in
// quarantine under its keys in batches, each a transaction of its own, and in the end its row. Waits for no
// lock longer than two seconds. Safe to run again after whatever stopped it. Throws pg::Error.
boost::asio::awaitable<RemovedAccount> remove_account(pg::Connection& connection, Uuid id);

}  // namespace socialsync::store
