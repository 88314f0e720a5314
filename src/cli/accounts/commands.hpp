// `socialsync accounts …`: one file per subcommand.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "store/account_admin.hpp"

namespace socialsync::cli::accounts {

void add_list(Command accounts);
void add_show(Command accounts);
void add_add(Command accounts);
void add_set(Command accounts);
void add_remove(Command accounts);
void add_import(Command accounts);
void add_check(Command accounts);

// What --help says of the exit codes, with a line end before it.
extern const char* const exit_codes;

// The options of one that needs the database.
struct Options {
  Common common{.dsn = "", .output = Output::text, .application = "socialsync accounts"};
};

// The argument ACCOUNT, which is no empty word: that would be the name of every account.
void add_account_name(Command command, std::string& name, bool is_required);

// The one account of that name (AccountFilter::name). Throws Failure (data_blocks) when there is
// none, or several.
boost::asio::awaitable<store::AccountRecord> the_account(pg::Connection& connection, std::string name);

// store::write_accounts(), but what the data refuses is said in words: throws Failure (data_blocks).
boost::asio::awaitable<std::size_t> write(pg::Connection& connection, std::vector<store::NewUser> users,
                                          std::vector<store::AccountWrite> writes);

// The users that accounts are for, by e-mail address or id. One that is in `made` is still to be written.
struct Owners {
  std::map<std::string, Uuid> ids;
  std::vector<store::NewUser> made;
};
// With `make`, an address that nobody has becomes a user.
boost::asio::awaitable<Owners> owners_of(pg::Connection& connection, std::set<std::string> names, bool make);
std::string no_user(const std::string& name);

// One line, fit for a terminal: what a person needs to know it again.
std::string described(const store::AccountRecord& account);
boost::json::object json_of(const store::AccountRecord& account);

// A document to standard output, with its version.
void print_json(boost::json::object document);

}  // namespace socialsync::cli::accounts
