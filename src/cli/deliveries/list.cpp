#include <fmt/core.h>

#include "cli/deliveries/commands.hpp"
#include "cli/deliveries/rows.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::deliveries {

namespace json = boost::json;
namespace asio = boost::asio;

json::object json_of(const store::OutboxRow& row) {
  return {{"event_id", to_string(row.event_id)},
          {"endpoint_id", to_string(row.endpoint_id)},
          {"url", row.url},
          {"webhook_type", row.type},
          {"status", row.due_at.empty() ? "dead" : "pending"},
          {"due_at", row.due_at.empty() ? json::value(nullptr) : json::value(row.due_at)},
          {"attempts", row.attempts},
          {"created_at", row.created_at}};
}

json::object json_of(const store::PastAttempt& row) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
  };
  return {{"attempted_at", row.attempted_at},
          {"event_id", to_string(row.event_id)},
          {"endpoint_id", to_string(row.endpoint_id)},
          {"url", row.url},
          {"attempt", row.attempt},
          {"http_status",
           row.http_status.empty() ? json::value(nullptr) : json::value(std::stoi(row.http_status))},
          {"took_ms", row.took_ms},
          {"error", or_null(row.error)},
          {"detail", or_null(row.detail)},
          {"response_head", or_null(printable(row.response_head, true))}};
}

std::string result_of(const store::PastAttempt& row) {
  const std::string what = row.error.empty() ? "delivered" : printable(row.error);
  return row.http_status.empty() ? what : what + " " + row.http_status;
}

namespace {

struct Options {
  Names names;
  std::string status;
  std::string after;
  std::uint64_t rows_max = 50;
  bool wants_json = false;
};

template <class Row>
void print_json(const std::vector<Row>& found, const std::string& next) {
  json::array all;
  for (const Row& row : found) all.push_back(json_of(row));
  cli::print_json(
      {{"rows", std::move(all)}, {"next", next.empty() ? json::value(nullptr) : json::value(next)}});
}

void print_table(const std::vector<std::vector<std::string>>& rows, const std::string& next) {
  fmt::print("{}", rows.size() > 1 ? aligned(rows) : "Nothing is there that matches.\n");
  if (!next.empty()) fmt::print("more: --after {}\n", next);
}

asio::awaitable<void> list_waiting(const Options& options, store::DeliveryFilter filter,
                                   pg::Connection& connection) {
  if (!options.status.empty()) filter.is_dead = options.status == "dead";
  const std::vector<store::OutboxRow> found =
      co_await store::list_outbox(connection, filter, options.after, options.rows_max);
  std::string next;
  if (found.size() == options.rows_max)
    next = fmt::format("{}/{}", to_string(found.back().event_id), to_string(found.back().endpoint_id));
  if (options.wants_json) {
    print_json(found, next);
    co_return;
  }
  std::vector<std::vector<std::string>> rows = {{"EVENT", "ENDPOINT", "URL", "TYPE", "ATTEMPTS", "STATE"}};
  for (const store::OutboxRow& row : found)
    rows.push_back({to_string(row.event_id), endpoints::short_id(row.endpoint_id),
                    endpoints::shown_url(row.url), printable(row.type), std::to_string(row.attempts),
                    state_of(row)});
  print_table(rows, next);
}

asio::awaitable<void> list_tried(const Options& options, store::DeliveryFilter filter,
                                 pg::Connection& connection) {
  const std::vector<store::PastAttempt> found = co_await store::list_attempts(
      connection, filter, options.status == "delivered", options.after, options.rows_max);
  std::string next;
  if (found.size() == options.rows_max)
    next = fmt::format("{}/{}/{}", found.back().attempted_at, to_string(found.back().event_id),
                       to_string(found.back().endpoint_id));
  if (options.wants_json) {
    print_json(found, next);
    co_return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"TIME", "EVENT", "ENDPOINT", "NUMBER", "RESULT", "MS", "DETAIL"}};
  for (const store::PastAttempt& row : found)
    rows.push_back({row.attempted_at, to_string(row.event_id), endpoints::short_id(row.endpoint_id),
                    std::to_string(row.attempt), result_of(row), std::to_string(row.took_ms),
                    printable(row.detail)});
  print_table(rows, next);
}

asio::awaitable<int> list(const Options& options, pg::Connection& connection) {
  store::DeliveryFilter filter = co_await filter_of(options.names, connection);
  if (options.status == "delivered" || options.status == "failed")
    co_await list_tried(options, std::move(filter), connection);
  else
    co_await list_waiting(options, std::move(filter), connection);
  co_return ExitCode::done;
}

}  // namespace

void add_list(Command deliveries) {
  Command command = deliveries.add_subcommand("list", "What waits or was given up; or the attempts");
  const auto options = std::make_shared<Options>();
  add_filter(command, options->names);
  command
      .add_option("--status", options->status,
                  "pending or dead: what is in the outbox; delivered or failed: attempts")
      .one_of({"pending", "dead", "delivered", "failed"}, false)
      .type_name("STATUS");
  command.add_option("--limit", options->rows_max, "Rows to show").between(1, 100'000).shows_default();
  command.add_option("--after", options->after, "The next page, as the last one says").type_name("PLACE");
  add_output(command, options->wants_json);
  command.footer(
      std::string("The newest first. What a worker has in hand is waiting, too: until its lease ends.\n"
                  "Example:  socialsync deliveries list --status failed --since 2026-11-22") +
      exit_codes);
  command.runs([options] {
    return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
      return list(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::deliveries
