#include <algorithm>
#include <chrono>
#include <cstdio>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/printable.hpp"
#include "operate/accounts.hpp"
#include "operate/endpoints.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"
#include "store/claims.hpp"
#include "store/pulled_events.hpp"

namespace socialsync::cli {
namespace events {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// Notifications are not enough: a lease that ends sends none, nor does a gateway that delivers itself.
constexpr std::chrono::milliseconds look_interval{1'000};
// A busy gateway sends a notification for every commit.
constexpr std::chrono::milliseconds look_gap_min{200};

struct NextOptions {
  std::string account;
  std::string endpoint;
  bool is_operators = false;
  std::uint64_t events_max = 10;
  std::uint64_t wait_s = 0;
  std::uint64_t lease_s = 300;
  bool is_done = false;

  void check() const {
    const int owners = !account.empty() + !endpoint.empty() + is_operators;
    if (owners != 1) throw Failure(Exit::wrong_usage, "give one of --account, --endpoint and --operator");
  }
};

// An account's pull endpoints share their events, so one of several cannot be named.
asio::awaitable<std::optional<Uuid>> owner_of(const std::string& name, pg::Connection& connection) {
  const store::EndpointRecord endpoint = co_await operate::find_endpoint(connection, name);
  if (!endpoint.url.empty())
    throw Failure(
        Exit::data_blocks,
        "its events are delivered to its URL; add a pull endpoint: socialsync endpoints add --pull");
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
        "its account has other pull endpoints, and events are claimed from all of them: give --account (or "
        "--operator)");
  co_return account;
}

asio::awaitable<std::optional<Uuid>> the_owner(const NextOptions& options, pg::Connection& connection) {
  if (options.is_operators) co_return std::nullopt;
  if (!options.endpoint.empty()) co_return co_await owner_of(options.endpoint, connection);
  const store::AccountRecord account = co_await operate::find_account(connection, options.account);
  co_return account.id;
}

asio::awaitable<std::vector<store::PulledEvent>> claim(const NextOptions& options,
                                                       const std::optional<Uuid>& owner,
                                                       pg::Connection& connection) {
  const std::chrono::seconds lease(options.lease_s);
  try {
    co_return co_await store::claim_events(connection, owner, options.events_max, lease);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::no_data_found) throw;
    throw Failure(Exit::data_blocks, "no enabled pull endpoint: socialsync endpoints add --pull, or enable");
  }
}

// Returns the first events, or none after options.wait_s seconds.
asio::awaitable<std::vector<store::PulledEvent>> wait_for_some(const NextOptions& options,
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

void print_event(const store::PulledEvent& event) {
  fmt::print("{}  {}  {}  from {}{}\n", event.id, event.received_at, printable(event.type),
             event.customer.empty() ? "-" : printable(event.customer),
             event.claims > 1 ? fmt::format("  (claimed {} times)", event.claims) : "");
  const std::string payload = indented_json(event.payload).value_or(event.payload);
  fmt::print("{}\n\n", printable(payload, true));
}

// False when standard output did not take all of it.
bool print_events(const std::vector<store::PulledEvent>& events, bool wants_json) {
  for (const store::PulledEvent& event : events) wants_json ? print_line(event) : print_event(event);
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

asio::awaitable<Exit> next(const NextOptions& options, Context& context) {
  const std::optional<Uuid> owner = co_await the_owner(options, context.connection);
  const std::vector<store::PulledEvent> events = co_await wait_for_some(options, owner, context.connection);
  if (!print_events(events, context.wants_json()))
    throw std::runtime_error(
        "standard output failed: no event is marked as processed, all will be claimed again");
  if (options.is_done && !events.empty()) co_await store::end_events(context.connection, events);
  if (context.wants_json()) co_return Exit::done;
  if (events.empty())
    fmt::print(stderr, "no events are pending\n");
  else if (!options.is_done)
    fmt::print(
        stderr,
        "{} events leased for {} s. Mark each as processed: SELECT mark_webhook_processed('…'), or its "
        "lease ends; --done marks them\n",
        events.size(), options.lease_s);
  co_return Exit::done;
}

void add_next(Command events) {
  Command command = events.add_subcommand("next", "Pull the next events of an account's pull endpoint");
  const auto options = std::make_shared<NextOptions>();
  command.add_option("--account", options->account, "Account: id, phone number id or page id")
      .type_name("ACCOUNT");
  command
      .add_option("--endpoint", options->endpoint,
                  "The account's pull endpoint: its id, or the first 8 digits")
      .check(operate::endpoint_name_fault)
      .type_name("ENDPOINT");
  command.add_flag("--operator", options->is_operators, "The operator's own, for events of no account");
  command.add_option("--limit", options->events_max, "Events at most").between(1, 1'000).shows_default();
  command.add_option("--wait", options->wait_s, "Seconds to wait for the first event")
      .between(0, 86'400)
      .shows_default();
  command.add_option("--lease", options->lease_s, "Seconds until an unprocessed event can be claimed again")
      .between(1, 86'400)
      .shows_default();
  command.add_flag("--done", options->is_done, "Mark the events as processed once they are printed");
  command.help(
      {.notes =
           "The oldest first, leased to this caller. --output json prints one line an event. Delivery is "
           "at least once: with --done an event is claimed twice only if this ended between printing and "
           "marking.",
       .examples =
           {"socialsync events next --account 683178638221369",
            "socialsync events next --account 683178638221369 --wait 60 --limit 100 --done --output json"},
       .exits = {{Exit::done, "done, also when no event is pending"},
                 {Exit::internal_error, "internal error, or the output failed"},
                 {Exit::not_found, "account or endpoint not found, or no enabled pull endpoint"}}});
  on_database(command, options, next);
}

}  // namespace
}  // namespace events

void add_events(Command app) {
  const Command command = app.add_subcommand("events", "Pull events of pull endpoints");
  events::add_next(command);
}

}  // namespace socialsync::cli
