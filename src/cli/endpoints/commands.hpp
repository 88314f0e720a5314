// `socialsync endpoints …`: one file per subcommand. What they share is here.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "store/endpoint_admin.hpp"

namespace socialsync::cli::endpoints {

void add_list(Command endpoints);
void add_show(Command endpoints);
void add_add(Command endpoints);
void add_set(Command endpoints);
void add_test(Command endpoints);
void add_rotate_secret(Command endpoints);
void add_enable(Command endpoints);
void add_disable(Command endpoints);
void add_remove(Command endpoints);

// What --help says of the exit codes, with a line end before it.
extern const char* const exit_codes;

// The argument ENDPOINT: an id, or how it begins, at least eight digits.
void add_endpoint_name(Command command, std::string& name);
// What is wrong with such a name; empty when nothing is.
std::string name_fault(const std::string& name);

// The one endpoint of that name. Throws Failure (data_blocks) when there is none, or several.
boost::asio::awaitable<store::EndpointRecord> the_endpoint(pg::Connection& connection, std::string name);

// The account of that name, its id. Throws Failure (data_blocks) when there is none, or several.
boost::asio::awaitable<Uuid> the_account_id(pg::Connection& connection, std::string name);

// What it is called on a line: the first digits of its id.
std::string short_id(const Uuid& id);
// Its URL without scheme and query, which may hold a key; "(pull)" where it has none.
std::string shown_url(const std::string& url);
// "ok", "failing since …", "disabled (…)", "pull".
std::string state_of(const store::EndpointRecord& endpoint);
// One line, fit for a terminal.
std::string described(const store::EndpointRecord& endpoint);

boost::json::object json_of(const store::EndpointRecord& endpoint);

void print_json(boost::json::object document);

}  // namespace socialsync::cli::endpoints
