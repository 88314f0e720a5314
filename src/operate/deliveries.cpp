#include "operate/deliveries.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t batch_rows_max = 1'000;

asio::awaitable<void> keep_pace(std::uint64_t rows, std::uint64_t rows_per_second) {
  if (rows_per_second == 0) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, std::chrono::milliseconds(rows * 1'000 / rows_per_second));
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<store::BatchDone> run_batch(pg::Connection& connection, const BulkChange& change,
                                            const std::string& after, bool is_preview) {
  const std::uint64_t rows =
      change.rows_per_second == 0 ? batch_rows_max : std::min(change.rows_per_second, batch_rows_max);
  switch (change.kind) {
    case BulkKind::replay:
      co_return co_await store::replay_batch(connection, change.filter, after, rows, is_preview);
    case BulkKind::cancel: co_return co_await store::cancel_batch(connection, change.filter, after, rows);
    case BulkKind::retry: break;
  }
  co_return co_await store::retry_batch(connection, change.filter, after, rows);
}

asio::awaitable<std::uint64_t> run_batches(pg::Connection& connection, const BulkChange& change,
                                           bool is_preview) {
  std::uint64_t rows = 0;
  std::string after;
  for (;;) {
    const store::BatchDone done = co_await run_batch(connection, change, after, is_preview);
    rows += done.rows;
    if (done.last.empty()) co_return rows;
    after = done.last;
    if (change.progress) change.progress(rows);
    co_await keep_pace(done.rows, change.rows_per_second);
  }
}

Ending::Result result_of_last(const store::PastAttempt& last) {
  if (last.error.empty()) return Ending::Result::delivered;
  return last.error == store::cancelled ? Ending::Result::cancelled : Ending::Result::dropped;
}

}  // namespace

asio::awaitable<std::uint64_t> count_affected(pg::Connection& connection, const BulkChange& change) {
  if (change.kind != BulkKind::replay) co_return co_await store::count_outbox(connection, change.filter);
  const BulkChange preview{.kind = change.kind, .filter = change.filter};
  co_return co_await run_batches(connection, preview, true);
}

asio::awaitable<std::uint64_t> run_bulk(pg::Connection& connection, const BulkChange& change) {
  co_return co_await run_batches(connection, change, false);
}

std::vector<Ending> endings_of(const std::vector<store::PastAttempt>& attempts,
                               const std::vector<store::OutboxRow>& waiting) {
  std::vector<Ending> endings;
  for (const store::PastAttempt& attempt : attempts) {
    const bool is_waiting =
        std::ranges::count(waiting, attempt.endpoint_id, &store::OutboxRow::endpoint_id) > 0;
    const bool is_known = std::ranges::count(endings, attempt.endpoint_id, &Ending::endpoint_id) > 0;
    if (!is_waiting && !is_known)
      endings.push_back(
          {.endpoint_id = attempt.endpoint_id, .url = attempt.url, .result = result_of_last(attempt)});
  }
  return endings;
}

const char* name_of(Ending::Result result) {
  switch (result) {
    case Ending::Result::delivered: return "delivered";
    case Ending::Result::cancelled: return "cancelled";
    case Ending::Result::dropped: return "dropped";
  }
  return "";
}

}  // namespace socialsync::operate
