#include <algorithm>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "operate/accounts.hpp"

namespace socialsync::cli::endpoints {
namespace {

constexpr std::size_t short_id_size = 8;

boost::json::value or_null(const std::string& text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

}  // namespace

const char* const exit_codes =
    "\nExit codes: 0 done, or answered no · 1 internal error · 2 wrong usage or setting · 3 no database, not "
    "migrated, or no "
    "right to · 4 a row stayed locked, run it again · 6 the receiver did not answer as it should · 9 no such "
    "endpoint or account, or no free place";

std::string name_fault(const std::string& name) {
  const bool is_hex = name.find_first_not_of("0123456789abcdef-") == std::string::npos;
  const bool is_good = is_hex && name.size() >= short_id_size && name.size() <= to_string(Uuid()).size();
  return is_good ? "" : "ENDPOINT must be an id as list shows it: its first 8 digits, or all";
}

void add_endpoint_name(Command command, std::string& name) {
  command.add_option("ENDPOINT", name, "Its id, or the first 8 digits of it").required().check(name_fault);
}

boost::asio::awaitable<store::EndpointRecord> the_endpoint(pg::Connection& connection, std::string name) {
  const store::EndpointFilter filter{.id_begins = name};
  std::vector<store::EndpointRecord> found = co_await store::find_endpoints(connection, filter);
  if (found.empty()) throw Failure(Exit::data_blocks, fmt::format("no endpoint {}", name));
  if (found.size() > 1) {
    std::string message = fmt::format("{} begins several ids, say more of it:", name);
    for (const store::EndpointRecord& endpoint : found) message += "\n  " + to_string(endpoint.id);
    throw Failure(Exit::data_blocks, message);
  }
  co_return std::move(found.front());
}

boost::asio::awaitable<Uuid> the_account_id(pg::Connection& connection, std::string name) {
  const store::AccountRecord account = co_await operate::find_account(connection, std::move(name));
  co_return account.id;
}

std::string short_id(const Uuid& id) { return to_string(id).substr(0, short_id_size); }

std::string shown_url(const std::string& url) {
  if (url.empty()) return "(pull)";
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return printable(url.substr(begin, url.find('?') - begin));
}

std::string state_of(const store::EndpointRecord& endpoint) {
  if (!endpoint.is_enabled)
    return endpoint.disabled_because.empty()
               ? "disabled"
               : fmt::format("disabled ({})", printable(endpoint.disabled_because));
  if (!endpoint.failing_since.empty()) return "failing since " + endpoint.failing_since;
  return endpoint.url.empty() ? "pull" : "ok";
}

std::string described(const store::EndpointRecord& endpoint) {
  const std::string whose = endpoint.account_id.empty()
                                ? "the operator's own"
                                : fmt::format("{} {}", endpoint.account_name, endpoint.account_key);
  return fmt::format("{}  {}  place {}  {}", short_id(endpoint.id), printable(whose), endpoint.place,
                     shown_url(endpoint.url));
}

boost::json::object json_of(const store::EndpointRecord& endpoint) {
  boost::json::value events = nullptr;
  if (endpoint.webhook_events) {
    boost::json::array list;
    for (const std::string& event : split_list(*endpoint.webhook_events)) list.emplace_back(event);
    events = std::move(list);
  }
  return {{"id", to_string(endpoint.id)},
          {"account_id", or_null(endpoint.account_id)},
          {"account_name", or_null(endpoint.account_name)},
          {"account_key", or_null(endpoint.account_key)},
          {"place", endpoint.place},
          {"url", or_null(endpoint.url)},
          {"description", or_null(endpoint.description)},
          {"format", endpoint.format},
          {"header_names", boost::json::array(endpoint.header_names.begin(), endpoint.header_names.end())},
          {"webhook_events", events},
          {"is_enabled", endpoint.is_enabled},
          {"disabled_because", or_null(endpoint.disabled_because)},
          {"failing_since", or_null(endpoint.failing_since)},
          {"is_ordered", endpoint.is_ordered},
          {"concurrent_max", endpoint.concurrent_max},
          {"per_second_max", endpoint.per_second_max ? boost::json::value(*endpoint.per_second_max)
                                                     : boost::json::value(nullptr)},
          {"previous_signing_secret_until", or_null(endpoint.previous_signing_secret_until)},
          {"created_at", endpoint.created_at},
          {"pending", endpoint.pending},
          {"given_up", endpoint.given_up}};
}

void print_json(boost::json::object document) { cli::print_json(std::move(document)); }

}  // namespace socialsync::cli::endpoints
