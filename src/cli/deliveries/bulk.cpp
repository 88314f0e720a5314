// retry and cancel: batches, each a transaction of its own.
#include <chrono>
#include <functional>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "cli/deliveries/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::deliveries {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t batch_rows_max = 1'000;

struct Options {
  Names names;
  std::string status;  // pending, dead, any
  bool is_cancel = false;
  bool is_replay = false;
  bool is_all = false;
  bool is_rehearsal = false;
  bool yes = false;
  std::uint64_t rows_per_second = 0;  // 0: as fast as it goes
  bool wants_json = false;

  const char* verb() const { return is_cancel ? "cancel" : is_replay ? "replay" : "retry"; }
};

using Batch = std::function<asio::awaitable<store::BatchDone>(const std::string& after)>;

asio::awaitable<void> keep_pace(std::uint64_t rows, std::uint64_t rows_per_second) {
  if (rows_per_second == 0) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, std::chrono::milliseconds(rows * 1'000 / rows_per_second));
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<std::uint64_t> run_batches(const Options& options, std::uint64_t total, const Batch& batch) {
  ProgressLine progress;
  std::uint64_t rows = 0;
  std::string after;
  for (;;) {
    const store::BatchDone done = co_await batch(after);
    rows += done.rows;
    if (done.last.empty()) co_return rows;
    after = done.last;
    progress.show({.what = options.verb(), .done = rows, .total = total, .unit = "rows"});
    co_await keep_pace(done.rows, options.rows_per_second);
  }
}

Batch batch_of(const Options& options, const store::DeliveryFilter& filter, bool is_rehearsal,
               pg::Connection& connection) {
  const std::uint64_t rows =
      options.rows_per_second == 0 ? batch_rows_max : std::min(options.rows_per_second, batch_rows_max);
  if (options.is_replay)
    return [&filter, &connection, rows, is_rehearsal](const std::string& after) {
      return store::replay_batch(connection, filter, after, rows, is_rehearsal);
    };
  if (options.is_cancel)
    return [&filter, &connection, rows](const std::string& after) {
      return store::cancel_batch(connection, filter, after, rows);
    };
  return [&filter, &connection, rows](const std::string& after) {
    return store::retry_batch(connection, filter, after, rows);
  };
}

asio::awaitable<std::uint64_t> count(const Options& options, const store::DeliveryFilter& filter,
                                     pg::Connection& connection) {
  if (!options.is_replay) {
    const std::uint64_t rows = co_await store::count_outbox(connection, filter);
    co_return rows;
  }
  Options at_once = options;
  at_once.rows_per_second = 0;
  const Batch rehearsal = batch_of(at_once, filter, true, connection);
  const std::uint64_t rows = co_await run_batches(at_once, 0, rehearsal);
  co_return rows;
}

asio::awaitable<int> change(const Options& options, pg::Connection& connection) {
  store::DeliveryFilter filter = co_await filter_of(options.names, connection);
  if (!options.is_replay && options.status != "any") filter.is_dead = options.status == "dead";
  const std::uint64_t total = co_await count(options, filter, connection);
  const bool asks = !options.is_rehearsal && total > 0;
  const std::string question =
      fmt::format("{}{} {} deliveries?", static_cast<char>(options.verb()[0] - 'a' + 'A'), options.verb() + 1,
                  readable_count(total));
  const bool goes_on = asks && confirmed(question, options.yes);
  std::uint64_t rows = 0;
  if (goes_on) {
    const Batch batch = batch_of(options, filter, false, connection);
    rows = co_await run_batches(options, total, batch);
  }
  if (options.wants_json)
    print_json({{"dry_run", options.is_rehearsal}, {"matching", total}, {"changed", rows}});
  else if (total == 0)
    fmt::print("Nothing is there that matches.\n");
  else if (options.is_rehearsal)
    fmt::print("Would {} {} deliveries.\n", options.verb(), readable_count(total));
  else if (goes_on)
    fmt::print("{} deliveries: {}.\n", readable_count(rows), options.verb());
  co_return ExitCode::done;
}

int run(const std::shared_ptr<Options>& options) {
  const Names& names = options->names;
  const bool has_times = names.times.since || names.times.until;
  if (options->is_replay && !names.times.since && names.event.empty())
    return complain(options->wants_json, ExitCode::usage_error, "wrong_usage",
                    "--replay: say which events, by --since or --event");
  const bool is_bound =
      has_times || !names.event.empty() || !names.endpoint.empty() || !names.account.empty();
  if (options->is_cancel && !is_bound && !options->is_all)
    return complain(options->wants_json, ExitCode::usage_error, "wrong_usage",
                    "say which, by --endpoint, --event and so on, or --all");
  return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
    return change(*options, connection);
  });
}

void add_bulk(Command command, const std::shared_ptr<Options>& options) {
  add_filter(command, options->names);
  command.add_flag("--dry-run", options->is_rehearsal, "Say how many, and change nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  command.add_option("--rate", options->rows_per_second, "Rows a second at most").between(1, 1'000'000);
  add_output(command, options->wants_json);
  command.runs([options] { return run(options); });
}

void add_status(Command command, Options& options, const std::vector<std::string>& words) {
  command.add_option("--status", options.status, "Only what is in this state").one_of(words).shows_default();
}

}  // namespace

void add_retry(Command deliveries) {
  Command command = deliveries.add_subcommand("retry", "Try again what was given up; or replay past events");
  const auto options = std::make_shared<Options>();
  options->status = "dead";
  add_bulk(command, options);
  add_status(command, *options, {"dead", "any"});
  command.add_flag("--replay", options->is_replay,
                   "Deliver events of webhook_logs that are not in the outbox (again)");
  command.footer(
      std::string(
          "They are due at once, as if never tried. With --status any all others are, too, but for what is "
          "due within a minute:\na worker has that in hand, or soon will. Of an endpoint without a URL, what "
          "somebody has fetched and not ended may come again.\n"
          "Examples:\n"
          "  socialsync deliveries retry --endpoint 0b8c2f4e --yes\n"
          "  socialsync deliveries retry --replay --account 683178638221369 --since 2026-11-22 --dry-run") +
      exit_codes);
}

void add_cancel(Command deliveries) {
  Command command = deliveries.add_subcommand("cancel", "Deliver it no more; an attempt says 'cancelled'");
  const auto options = std::make_shared<Options>();
  options->status = "any";
  options->is_cancel = true;
  add_bulk(command, options);
  add_status(command, *options, {"pending", "dead", "any"});
  command.add_flag("--all", options->is_all, "Every delivery, where no filter says which");
  command.footer(
      std::string("Example:  socialsync deliveries cancel --endpoint 0b8c2f4e --status dead --yes") +
      exit_codes);
}

}  // namespace socialsync::cli::deliveries
