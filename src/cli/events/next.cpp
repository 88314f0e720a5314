#include <algorithm>
#include <chrono>
#include <cstdio>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/events/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/printable.hpp"
#include "pg/sqlstate.hpp"
#include "store/claims.hpp"
#include "store/pulled_events.hpp"

namespace socialsync::cli::events {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// Behind the notifications: a gateway that delivers itself tells nobody, nor does a lease that ends.
constexpr std::chrono::milliseconds look_interval{1'000};
// A busy gateway tells of every commit.
constexpr std::chrono::milliseconds look_gap_min{200};

struct Options {
  std::string account;
  std::string endpoint;
  bool is_operators = false;
  std::uint64_t events_max = 10;
  std::uint64_t wait_s = 0;
  std::uint64_t lease_s = 300;
  bool is_done = false;
  bool wants_json = false;
};

// The function takes from all endpoints of an account that are pulled.
asio::awaitable<std::optional<Uuid>> owner_of(const std::string& name, pg::Connection& connection) {
  const store::EndpointRecord endpoint = co_await endpoints::the_endpoint(connection, name);
  if (!endpoint.url.empty())
    throw Failure(Exit::data_blocks,
                  "its events are sent to its URL, there is nothing to fetch: "
                  "socialsync endpoints add --pull makes one that waits");
  const std::optional<Uuid> account = parse_uuid(endpoint.account_id);
  const store::EndpointFilter all{.account = account};
  const std::vector<store::EndpointRecord> others = co_await store::find_endpoints(connection, all);
  const bool is_only = std::ranges::none_of(others, [&](const store::EndpointRecord& other) {
    return other.id != endpoint.id && other.account_id == endpoint.account_id && other.url.empty() &&
           other.is_enabled;
  });
  if (!is_only)
    throw Failure(
        Exit::data_blocks,
        "its account has other endpoints that are pulled, and what is claimed is claimed from all: say "
        "--account (or --operator)");
  co_return account;
}

asio::awaitable<std::optional<Uuid>> the_owner(const Options& options, pg::Connection& connection) {
  if (options.is_operators) co_return std::nullopt;
  if (!options.endpoint.empty()) co_return co_await owner_of(options.endpoint, connection);
  co_return co_await endpoints::the_account_id(connection, options.account);
}

asio::awaitable<std::vector<store::PulledEvent>> claim(const Options& options,
                                                       const std::optional<Uuid>& owner,
                                                       pg::Connection& connection) {
  const std::chrono::seconds lease(options.lease_s);
  try {
    co_return co_await store::claim_events(connection, owner, options.events_max, lease);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::no_data_found) throw;
    throw Failure(
        Exit::data_blocks,
        "there is no endpoint that is enabled and pulled: socialsync endpoints add --pull, or enable");
  }
}

// Until there are some, or the time is over.
asio::awaitable<std::vector<store::PulledEvent>> wait_for_some(const Options& options,
                                                               const std::optional<Uuid>& owner,
                                                               pg::Connection& connection) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer gap(executor);
  const Clock::time_point until = Clock::now() + std::chrono::seconds(options.wait_s);
  if (options.wait_s > 0) co_await store::listen_for_deliveries(connection);
  for (;;) {
    std::vector<store::PulledEvent> events = co_await claim(options, owner, connection);
    const Clock::duration left = until - Clock::now();
    if (!events.empty() || left <= Clock::duration::zero()) co_return events;
    const Clock::duration pause = std::min<Clock::duration>(left, look_interval);
    gap.expires_after(std::min<Clock::duration>(left, look_gap_min));
    (void)co_await connection.notified(pause);
    co_await gap.async_wait(asio::use_awaitable);
  }
}

std::string json_text(const std::string& text) {
  if (text.empty()) return "null";
  std::string json;
  append_json_string(json, text);
  return json;
}

void print_line(const store::PulledEvent& event) {
  fmt::print(
      R"({{"v":1,"id":"{}","type":{},"received_at":"{}","external_message_id":{},"customer":{},"claims":{},"payload":{}}})"
      "\n",
      event.id, json_text(event.type), event.received_at, json_text(event.message_id),
      json_text(event.customer), event.claims, event.payload);
}

void print_text(const store::PulledEvent& event) {
  fmt::print("{}  {}  {}  from {}{}\n", event.id, event.received_at, printable(event.type),
             event.customer.empty() ? "nobody" : printable(event.customer),
             event.claims > 1 ? fmt::format("  (claimed {} times)", event.claims) : "");
  const std::string payload = indented_json(event.payload).value_or(event.payload);
  fmt::print("{}\n\n", printable(payload, true));
}

// False when not all of it has gone out.
bool print(const Options& options, const std::vector<store::PulledEvent>& events) {
  for (const store::PulledEvent& event : events) options.wants_json ? print_line(event) : print_text(event);
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

asio::awaitable<int> next(const Options& options, pg::Connection& connection) {
  const std::optional<Uuid> owner = co_await the_owner(options, connection);
  const std::vector<store::PulledEvent> events = co_await wait_for_some(options, owner, connection);
  if (!print(options, events))
    throw std::runtime_error("the events could not be written out: none is ended, they come again");
  if (options.is_done && !events.empty()) co_await store::end_events(connection, events);
  if (options.wants_json) co_return ExitCode::done;
  if (events.empty())
    fmt::print(stderr, "nothing waits\n");
  else if (!options.is_done)
    fmt::print(
        stderr,
        "{} claimed for {} s. End each: SELECT mark_webhook_processed('…'); else it comes again. --done "
        "ends them once they are shown\n",
        events.size(), options.lease_s);
  co_return ExitCode::done;
}

int run(const std::shared_ptr<Options>& options) {
  const int owners = !options->account.empty() + !options->endpoint.empty() + options->is_operators;
  if (owners != 1)
    return complain(options->wants_json, ExitCode::usage_error, "wrong_usage",
                    "say whose: --account, --endpoint or --operator");
  return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
    return next(*options, connection);
  });
}

void add_options(Command command, Options& options) {
  command.add_option("--account", options.account, "Whose: its id, phone number id or page id")
      .type_name("ACCOUNT");
  command
      .add_option("--endpoint", options.endpoint, "Of the account of this one: its id, or the first 8 digits")
      .check(endpoints::name_fault)
      .type_name("ENDPOINT");
  command.add_flag("--operator", options.is_operators, "Your own, of what is no account's");
  command.add_option("--limit", options.events_max, "Events at most").between(1, 1'000).shows_default();
  command.add_option("--wait", options.wait_s, "Seconds to wait for the first one")
      .between(0, 86'400)
      .shows_default();
  command.add_option("--lease", options.lease_s, "Seconds until those that are not ended come again")
      .between(1, 86'400)
      .shows_default();
  command.add_flag("--done", options.is_done, "End them, once they are written out");
}

}  // namespace

void add_next(Command events) {
  Command command = events.add_subcommand("next", "Fetch the next events of an endpoint that is pulled");
  const auto options = std::make_shared<Options>();
  add_options(command, *options);
  add_output(command, options->wants_json);
  command.footer(
      "The oldest first, and nobody else's until the lease is over. --output json is a line for each event.\n"
      "At least once: with --done one that was shown comes again only if this ended in between.\n"
      "Examples:\n"
      "  socialsync events next --account 683178638221369\n"
      "  socialsync events next --account 683178638221369 --wait 60 --limit 100 --done --output json\n"
      "Exit codes: 0 done, also when nothing waits · 1 internal error, or the output could not be written · "
      "2 wrong usage · 3 no database, or not migrated · 4 somebody holds a lock, run it again · 9 no such "
      "account or endpoint, or none that is pulled");
  command.runs([options] { return run(options); });
}

}  // namespace socialsync::cli::events
