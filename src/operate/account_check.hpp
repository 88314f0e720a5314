// Checks that accounts receive their events, as the gateway would judge with the same settings.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config/config.hpp"
#include "pg/connection.hpp"
#include "store/account_admin.hpp"

namespace socialsync::operate {

struct AccountFinding {
  store::AccountRecord account;
  std::vector<std::string> faults{};          // reasons why its events do not reach it
  std::vector<std::string> notes{};           // further gaps in its configuration
  std::vector<store::Count> quarantined{};    // rows under its routing keys, by reason
  std::vector<store::Count> recent_events{};  // of the last day, by type
};

struct AccountsChecked {
  std::size_t checked = 0;
  std::vector<AccountFinding> findings;
};

// Checks one account in full; with an empty name all active accounts, and returns those with faults (without
// notes and counts). Throws Failure (not_found) and pg::Error.
boost::asio::awaitable<AccountsChecked> check_accounts(pg::Connection& connection, std::string name,
                                                       const config::Config& settings);

}  // namespace socialsync::operate
