#include "operate/deliveries.hpp"

#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/columns.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "operate/accounts.hpp"
#include "operate/endpoint_diagnosis.hpp"
#include "operate/endpoints.hpp"

namespace socialsync::cli {
namespace deliveries {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using operate::Ending;
using operate::short_id;
using store::OutboxRow;
using store::PastAttempt;

constexpr std::uint64_t shown_rows_max = 1'000;

// A filter with the names that the command line gives.
struct FilterOptions {
  std::string event;
  std::string endpoint;  // the beginning of an id
  std::string account;
  store::DeliveryFilter times{};

  bool is_empty() const {
    return event.empty() && endpoint.empty() && account.empty() && !times.since && !times.until;
  }
};

struct ListOptions {
  FilterOptions filter;
  std::string status;
  std::string after;
  std::uint64_t rows_max = 50;
};

struct ShowOptions {
  std::string id;
};

struct BulkOptions {
  FilterOptions filter;
  operate::BulkKind kind = operate::BulkKind::retry;
  std::string status;  // pending, dead or any
  bool is_replay = false;
  bool is_all = false;
  bool is_preview = false;
  bool yes = false;
  std::uint64_t rows_per_second = 0;

  const char* verb() const {
    if (kind == operate::BulkKind::cancel) return "cancel";
    return is_replay ? "replay" : "retry";
  }
  void check() const;
};

void BulkOptions::check() const {
  if (is_replay && !filter.times.since && filter.event.empty())
    throw Failure(Exit::wrong_usage, "--replay needs --since or --event");
  if (kind == operate::BulkKind::cancel && filter.is_empty() && !is_all)
    throw Failure(Exit::wrong_usage, "give a filter such as --endpoint or --event, or --all");
}

std::string event_fault(const std::string& text) {
  return parse_uuid(text) ? "" : "must be an id of webhook_logs: 00000000-0000-8000-8000-000000000000";
}

asio::awaitable<store::DeliveryFilter> filter_of(const FilterOptions& options, pg::Connection& connection) {
  store::DeliveryFilter filter = options.times;
  if (!options.event.empty()) filter.event = parse_uuid(options.event);
  if (!options.endpoint.empty()) {
    const store::EndpointRecord endpoint = co_await operate::find_endpoint(connection, options.endpoint);
    filter.endpoint = endpoint.id;
  }
  if (!options.account.empty()) {
    const store::AccountRecord account = co_await operate::find_account(connection, options.account);
    filter.account = account.id;
  }
  co_return filter;
}

std::string state_of(const OutboxRow& row) {
  if (row.due_at.empty()) return "dead-lettered";
  if (!row.is_enabled) return "waiting: endpoint disabled";
  return row.is_due ? "due now" : "waiting until " + row.due_at;
}

json::object json_of_row(const OutboxRow& row) { return json_of(store::outbox_columns(), row); }
json::object json_of_attempt(const PastAttempt& row) { return json_of(store::attempt_columns(), row); }

void print_page(const Context& context, json::array found, const std::vector<std::vector<std::string>>& rows,
                const std::string& next) {
  if (context.wants_json()) {
    print_json({{"rows", std::move(found)}, {"next", or_null(next)}});
    return;
  }
  fmt::print("{}", rows.size() > 1 ? aligned(rows) : "no deliveries match\n");
  if (!next.empty()) fmt::print("more: --after {}\n", next);
}

asio::awaitable<void> list_outbox(const ListOptions& options, store::DeliveryFilter filter,
                                  Context& context) {
  if (!options.status.empty()) filter.is_dead_lettered = options.status == "dead";
  const std::vector<OutboxRow> found =
      co_await store::list_outbox(context.connection, filter, options.after, options.rows_max);
  std::string next;
  if (found.size() == options.rows_max)
    next = fmt::format("{}/{}", to_string(found.back().event_id), to_string(found.back().endpoint_id));
  std::vector<std::vector<std::string>> rows = {{"EVENT", "ENDPOINT", "URL", "TYPE", "ATTEMPTS", "STATE"}};
  for (const OutboxRow& row : found)
    rows.push_back({to_string(row.event_id), short_id(row.endpoint_id), shown_url(row.url),
                    printable(row.type), std::to_string(row.attempts), state_of(row)});
  print_page(context, array_of(found, json_of_row), rows, next);
}

asio::awaitable<void> list_attempts(const ListOptions& options, const store::DeliveryFilter& filter,
                                    Context& context) {
  const bool is_delivered = options.status == "delivered";
  const std::vector<PastAttempt> found = co_await store::list_attempts(
      context.connection, filter, is_delivered, options.after, options.rows_max);
  std::string next;
  if (found.size() == options.rows_max)
    next = fmt::format("{}/{}/{}", found.back().attempted_at, to_string(found.back().event_id),
                       to_string(found.back().endpoint_id));
  std::vector<std::vector<std::string>> rows = {
      {"TIME", "EVENT", "ENDPOINT", "ATTEMPT", "RESULT", "MS", "DETAIL"}};
  for (const PastAttempt& row : found)
    rows.push_back({row.attempted_at, to_string(row.event_id), short_id(row.endpoint_id),
                    std::to_string(row.attempt), operate::result_of(row), std::to_string(row.took_ms),
                    printable(row.detail)});
  print_page(context, array_of(found, json_of_attempt), rows, next);
}

asio::awaitable<Exit> list(const ListOptions& options, Context& context) {
  store::DeliveryFilter filter = co_await filter_of(options.filter, context.connection);
  if (options.status == "delivered" || options.status == "failed")
    co_await list_attempts(options, filter, context);
  else
    co_await list_outbox(options, std::move(filter), context);
  co_return Exit::done;
}

// All that is known of an event's deliveries.
struct Story {
  std::optional<store::DeliveredEvent> event;
  std::vector<PastAttempt> attempts;  // newest first
  std::vector<OutboxRow> waiting;
};

void print_document(const std::string& id, const Story& story) {
  const json::value event =
      story.event ? json::value(json_of(store::event_columns(), *story.event)) : json::value();
  const json::array ended =
      array_of(operate::endings_of(story.attempts, story.waiting), [](const Ending& ending) {
        return json::object{{"endpoint_id", to_string(ending.endpoint_id)},
                            {"url", ending.url},
                            {"result", name_of(ending.result)}};
      });
  print_json({{"event_id", id},
              {"event", event},
              {"attempts", array_of(story.attempts, json_of_attempt)},
              {"waiting", array_of(story.waiting, json_of_row)},
              {"ended", ended}});
}

const char* text_of(Ending::Result result) {
  switch (result) {
    case Ending::Result::delivered: return "delivered";
    case Ending::Result::cancelled: return "not delivered: cancelled";
    case Ending::Result::dropped: return "not delivered: no longer in the outbox";
  }
  return "";
}

void print_attempt(const PastAttempt& row) {
  const std::string to = fmt::format("{}  {}", short_id(row.endpoint_id), shown_url(row.url));
  if (row.error == store::cancelled) {
    fmt::print("  {}  cancelled by the operator after {} attempts to {}\n", row.attempted_at, row.attempt,
               to);
    return;
  }
  fmt::print("  {}  attempt {} to {}: {}, {} ms\n", row.attempted_at, row.attempt, to,
             operate::result_of(row), row.took_ms);
  if (!row.detail.empty()) fmt::print("    {}\n", printable(row.detail));
  if (!row.response_head.empty()) fmt::print("    response: {}\n", printable(row.response_head));
}

void print_story(const std::string& id, const Story& story) {
  fmt::print("event {}\n", id);
  if (!story.event) fmt::print("  no longer in webhook_logs\n");
  if (story.event) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& column : store::event_columns())
      if (column.title != nullptr)
        rows.push_back({column.title, printable(cli::text_of(column, *story.event))});
    fmt::print("{}", aligned(rows));
  }
  for (auto row = story.attempts.rbegin(); row != story.attempts.rend(); ++row) print_attempt(*row);
  for (const Ending& ending : operate::endings_of(story.attempts, story.waiting))
    fmt::print("  end: {}  {}: {}\n", short_id(ending.endpoint_id), shown_url(ending.url),
               text_of(ending.result));
  for (const OutboxRow& row : story.waiting)
    fmt::print("  next: {}  {}: {}, after {} attempts\n", short_id(row.endpoint_id), shown_url(row.url),
               state_of(row), row.attempts);
  if (story.waiting.empty() && story.attempts.empty())
    fmt::print("  no deliveries, and no attempts in the last 30 days\n");
}

asio::awaitable<Exit> show(const ShowOptions& options, Context& context) {
  const store::DeliveryFilter filter{.event = parse_uuid(options.id)};
  Story story;
  story.event = co_await store::find_delivered_event(context.connection, *filter.event);
  story.attempts =
      co_await store::list_attempts(context.connection, filter, std::nullopt, "", shown_rows_max);
  story.waiting = co_await store::list_outbox(context.connection, filter, "", shown_rows_max);
  if (!story.event && story.attempts.empty() && story.waiting.empty())
    throw Failure(
        Exit::not_found,
        fmt::format("event {} not found; unroutable webhooks: socialsync quarantine list", options.id),
        "not_found");
  if (context.wants_json())
    print_document(options.id, story);
  else
    print_story(options.id, story);
  co_return Exit::done;
}

void print_changed(const BulkOptions& options, std::uint64_t affected, bool is_confirmed,
                   std::uint64_t rows) {
  if (affected == 0)
    fmt::print("no deliveries match\n");
  else if (options.is_preview)
    fmt::print("Would {} {} deliveries.\n", options.verb(), readable_count(affected));
  else if (is_confirmed)
    fmt::print("{} deliveries: {}.\n", readable_count(rows), options.verb());
}

asio::awaitable<Exit> change(const BulkOptions& options, Context& context) {
  operate::BulkChange bulk{.kind = options.kind, .rows_per_second = options.rows_per_second};
  if (options.is_replay) bulk.kind = operate::BulkKind::replay;
  bulk.filter = co_await filter_of(options.filter, context.connection);
  if (!options.is_replay && options.status != "any") bulk.filter.is_dead_lettered = options.status == "dead";
  const std::uint64_t affected = co_await operate::count_affected(context.connection, bulk);
  const std::string verb = options.verb();
  const std::string question = fmt::format("{}{} {} deliveries?", static_cast<char>(verb[0] - 'a' + 'A'),
                                           verb.substr(1), readable_count(affected));
  const bool asks = !options.is_preview && affected > 0;
  const bool is_confirmed = asks && confirmed(question, options.yes);
  ProgressLine progress;
  bulk.progress = [&](std::uint64_t rows) {
    progress.show({.what = verb, .done = rows, .total = affected, .unit = "rows"});
  };
  std::uint64_t rows = 0;
  if (is_confirmed) rows = co_await operate::run_bulk(context.connection, bulk);
  progress.clear();
  if (context.wants_json())
    print_json({{"dry_run", options.is_preview}, {"matching", affected}, {"changed", rows}});
  else
    print_changed(options, affected, is_confirmed, rows);
  co_return Exit::done;
}

void add_filter(Command command, FilterOptions& options) {
  command.add_option("--event", options.event, "Only this event: its id in webhook_logs")
      .check(event_fault)
      .type_name("ID");
  command.add_option("--endpoint", options.endpoint, "Only this endpoint: its id, or the first 8 digits")
      .check(operate::endpoint_name_fault)
      .type_name("ENDPOINT");
  command.add_option("--account", options.account, "Only this account: id, phone number id or page id")
      .type_name("ACCOUNT");
  command.add_option("--since", options.times.since, "At or after: '2026-11-22', '2026-11-22 14:30+01'")
      .type_name("TIME");
  command.add_option("--until", options.times.until, "Before").type_name("TIME");
}

constexpr ExitNote filter_not_found{Exit::not_found, "event, endpoint or account not found"};

void add_list(Command deliveries) {
  Command command =
      deliveries.add_subcommand("list", "List pending and dead-lettered deliveries, or attempts");
  const auto options = std::make_shared<ListOptions>();
  add_filter(command, options->filter);
  command
      .add_option("--status", options->status, "pending or dead: deliveries; delivered or failed: attempts")
      .one_of({"pending", "dead", "delivered", "failed"}, false)
      .type_name("STATUS");
  command.add_option("--limit", options->rows_max, "Rows to show").between(1, 100'000).shows_default();
  command.add_option("--after", options->after, "The next page: the place that the last one ends with")
      .type_name("PLACE");
  command.help({.notes = "The newest first. A delivery that a worker has leased is pending.",
                .examples = {"socialsync deliveries list --status dead",
                             "socialsync deliveries list --status failed --since 2026-11-22"},
                .exits = {filter_not_found}});
  on_database(command, options, list);
}

void add_show(Command deliveries) {
  Command command = deliveries.add_subcommand("show", "Show an event's attempts and pending deliveries");
  const auto options = std::make_shared<ShowOptions>();
  command.add_option("EVENT", options->id, "Its id in webhook_logs").required().check(event_fault);
  command.help(
      {.examples = {"socialsync deliveries show 0193…"}, .exits = {{Exit::not_found, "event not found"}}});
  on_database(command, options, show);
}

void add_bulk(Command command, const std::shared_ptr<BulkOptions>& options,
              const std::vector<std::string>& statuses) {
  add_filter(command, options->filter);
  command.add_flag("--dry-run", options->is_preview, "Count the deliveries and change nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  command.add_option("--rate", options->rows_per_second, "Rows a second (default: no limit)")
      .between(1, 1'000'000);
  command.add_option("--status", options->status, "Deliveries of this status only")
      .one_of(statuses)
      .shows_default();
  on_database(command, options, change);
}

void add_retry(Command deliveries) {
  Command command =
      deliveries.add_subcommand("retry", "Retry dead-lettered deliveries, or replay past events");
  const auto options = std::make_shared<BulkOptions>();
  options->status = "dead";
  add_bulk(command, options, {"dead", "any"});
  command.add_flag("--replay", options->is_replay,
                   "Queue events of webhook_logs that have no delivery in the outbox");
  command.help(
      {.notes =
           "Selected deliveries become due now, with a fresh attempt count. With --status any, pending "
           "deliveries do too, unless they are due within a minute: a worker may have leased them. Events "
           "that an application has pulled and not marked as processed may be delivered twice.",
       .examples = {"socialsync deliveries retry --endpoint 0b8c2f4e --yes",
                    "socialsync deliveries retry --replay --account 683178638221369 --since 2026-11-22 "
                    "--dry-run"},
       .exits = {{Exit::done, "done, or answered no"}, filter_not_found}});
}

void add_cancel(Command deliveries) {
  Command command =
      deliveries.add_subcommand("cancel", "Cancel deliveries, and record an attempt 'cancelled' for each");
  const auto options = std::make_shared<BulkOptions>();
  options->status = "any";
  options->kind = operate::BulkKind::cancel;
  add_bulk(command, options, {"pending", "dead", "any"});
  command.add_flag("--all", options->is_all, "All deliveries, where no filter is given");
  command.help({.examples = {"socialsync deliveries cancel --endpoint 0b8c2f4e --status dead --yes"},
                .exits = {{Exit::done, "done, or answered no"}, filter_not_found}});
}

}  // namespace
}  // namespace deliveries

void add_deliveries(Command app) {
  const Command command = app.add_subcommand("deliveries", "List, retry and cancel deliveries to endpoints");
  deliveries::add_list(command);
  deliveries::add_show(command);
  deliveries::add_retry(command);
  deliveries::add_cancel(command);
}

}  // namespace socialsync::cli
