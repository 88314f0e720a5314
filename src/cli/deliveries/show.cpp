#include <fmt/core.h>

#include "cli/deliveries/commands.hpp"
#include "cli/deliveries/ending.hpp"
#include "cli/deliveries/rows.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::deliveries {
namespace {

namespace json = boost::json;
namespace asio = boost::asio;

constexpr std::uint64_t rows_max = 1'000;

struct Options {
  std::string id;
  bool wants_json = false;
};

struct Story {
  std::optional<store::DeliveredEvent> event;
  std::vector<store::PastAttempt> attempts;
  std::vector<store::OutboxRow> waiting;
};

void print_json(const Options& options, const Story& story) {
  json::value event = nullptr;
  if (story.event)
    event = {{"account_id", story.event->account_id}, {"webhook_type", story.event->type},
             {"customer", story.event->customer},     {"received_at", story.event->received_at},
             {"status", story.event->status},         {"processing_time_ms", story.event->took_ms},
             {"error_message", story.event->error}};
  json::array attempts, waiting;
  for (const store::PastAttempt& row : story.attempts) attempts.push_back(json_of(row));
  for (const store::OutboxRow& row : story.waiting) waiting.push_back(json_of(row));
  json::array endings;
  for (const Ending& ending : endings_of(story.attempts, story.waiting))
    endings.push_back({{"endpoint_id", to_string(ending.endpoint_id)},
                       {"url", ending.url},
                       {"result", name_of(ending.result)}});
  cli::print_json({{"event_id", options.id},
                   {"event", event},
                   {"attempts", attempts},
                   {"waiting", waiting},
                   {"ended", endings}});
}

void print_attempt(const store::PastAttempt& row) {
  if (row.error == cancelled) {
    fmt::print("  {}  cancelled by the operator, after {} attempts to {}  {}\n", row.attempted_at,
               row.attempt, endpoints::short_id(row.endpoint_id), endpoints::shown_url(row.url));
    return;
  }
  fmt::print("  {}  attempt {} to {}  {}: {}, {} ms\n", row.attempted_at, row.attempt,
             endpoints::short_id(row.endpoint_id), endpoints::shown_url(row.url), result_of(row),
             row.took_ms);
  if (!row.detail.empty()) fmt::print("    {}\n", printable(row.detail));
  if (!row.response_head.empty()) fmt::print("    it said: {}\n", printable(row.response_head));
}

void print_text(const Options& options, const Story& story) {
  fmt::print("event {}\n", options.id);
  if (story.event) {
    const store::DeliveredEvent& event = *story.event;
    fmt::print("{}",
               aligned({{"  type", printable(event.type)},
                        {"  account", event.account_id.empty() ? "none: the app's own" : event.account_id},
                        {"  customer", event.customer.empty() ? "-" : printable(event.customer)},
                        {"  received", event.received_at},
                        {"  status", printable(event.status + " " + event.error)}}));
  } else {
    fmt::print("  it is no longer in webhook_logs\n");
  }
  for (auto row = story.attempts.rbegin(); row != story.attempts.rend(); ++row) print_attempt(*row);
  for (const Ending& ending : endings_of(story.attempts, story.waiting))
    fmt::print("  end: {}  {}: {}\n", endpoints::short_id(ending.endpoint_id),
               endpoints::shown_url(ending.url), described(ending.result));
  for (const store::OutboxRow& row : story.waiting)
    fmt::print("  next: {}  {}: {}, after {} attempts\n", endpoints::short_id(row.endpoint_id),
               endpoints::shown_url(row.url), state_of(row), row.attempts);
  if (story.waiting.empty() && story.attempts.empty())
    fmt::print("  no endpoint has it, or had it in the last 30 days\n");
}

asio::awaitable<int> show(const Options& options, pg::Connection& connection) {
  const store::DeliveryFilter filter{.event = parse_uuid(options.id)};
  Story story;
  story.event = co_await store::find_delivered_event(connection, *filter.event);
  story.attempts = co_await store::list_attempts(connection, filter, std::nullopt, "", rows_max);
  story.waiting = co_await store::list_outbox(connection, filter, "", rows_max);
  if (!story.event && story.attempts.empty() && story.waiting.empty())
    co_return complain(options.wants_json, ExitCode::not_found, "not_found",
                       "there is no event " + options.id +
                           "; what could not be logged for a tenant is in: socialsync quarantine list");
  if (options.wants_json)
    print_json(options, story);
  else
    print_text(options, story);
  co_return ExitCode::done;
}

}  // namespace

void add_show(Command deliveries) {
  Command command = deliveries.add_subcommand("show", "Where did that message go? All of one event");
  const auto options = std::make_shared<Options>();
  const auto no_uuid = [](const std::string& text) {
    return parse_uuid(text) ? std::string() : std::string("EVENT must be an id of webhook_logs");
  };
  command.add_option("EVENT", options->id, "Its id in webhook_logs").required().check(no_uuid);
  add_output(command, options->wants_json);
  command.footer(std::string("Example:  socialsync deliveries show 0193…") + exit_codes);
  command.runs([options] {
    return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
      return show(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::deliveries
