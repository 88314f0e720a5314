// Accounts by the names that operators use, and writing them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"
#include "store/account_admin.hpp"

namespace socialsync::operate {

// Returns the account of that id, phone number id, page id, account id or phone number. Throws Failure
// (not_found) when no account or several accounts match, and pg::Error.
boost::asio::awaitable<store::AccountRecord> find_account(pg::Connection& connection, std::string name);

// One line that identifies the account to a person; not escaped for a terminal.
std::string described(const store::AccountRecord& account);

// The owners of accounts. An id of `made` belongs to a user that save_accounts() is still to insert.
struct Owners {
  std::map<std::string, Uuid> ids;  // by the name that was asked for
  std::vector<store::NewUser> made;
};
// Finds users by e-mail address or id. With `make`, prepares a user for each unknown e-mail address. Throws
// pg::Error.
boost::asio::awaitable<Owners> owners_of(pg::Connection& connection, std::set<std::string> names, bool make);
// The message for an owner that owners_of() did not find.
std::string no_user(const std::string& name);

// store::write_accounts(), with values that the database refuses as Failure (data_blocks), whose message
// holds no secret.
boost::asio::awaitable<std::size_t> save_accounts(pg::Connection& connection,
                                                  std::vector<store::NewUser> users,
                                                  std::vector<store::AccountWrite> writes);

}  // namespace socialsync::operate
