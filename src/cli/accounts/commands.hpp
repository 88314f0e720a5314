// `socialsync accounts …`: one file per subcommand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "store/account_admin.hpp"

namespace socialsync::cli::accounts {

void add_list(CLI::App& accounts, Action& chosen);
void add_show(CLI::App& accounts, Action& chosen);
void add_add(CLI::App& accounts, Action& chosen);
void add_set(CLI::App& accounts, Action& chosen);
void add_remove(CLI::App& accounts, Action& chosen);
void add_import(CLI::App& accounts, Action& chosen);
void add_check(CLI::App& accounts, Action& chosen);

// What --help says of the exit codes, with a line end before it.
extern const char* const exit_codes;

// The options of one that needs the database.
struct Options {
  Common common{.dsn = "", .output = Output::text, .application = "socialsync accounts"};
};

// The one account of that name (AccountFilter::name). Throws migrate::Failure (data_blocks) when there is
// none, or several.
boost::asio::awaitable<store::AccountRecord> the_account(pg::Connection& connection, std::string name);

// store::write_accounts(), but what the data refuses is said in words: throws migrate::Failure (data_blocks).
boost::asio::awaitable<std::size_t> write(pg::Connection& connection,
                                          std::vector<store::AccountWrite> writes);

// The user that an account is for. Throws migrate::Failure (data_blocks) when there is none and `make` is
// false.
boost::asio::awaitable<Uuid> the_user(pg::Connection& connection, std::string user, bool make);

// One line: what a person needs to know it again.
std::string described(const store::AccountRecord& account);
boost::json::object json_of(const store::AccountRecord& account);

// A document to standard output, with its version.
void print_json(boost::json::object document);

}  // namespace socialsync::cli::accounts
