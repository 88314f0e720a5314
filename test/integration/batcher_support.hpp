// Submissions, and a Batcher that runs beside a test's story.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "ingest/batch.hpp"
#include "support/database.hpp"

namespace socialsync::ingest::test {

using socialsync::test::AccountIds;

// Ids of this very moment, so that they have a weekly partition; `number` tells them apart and sorts them.
inline Uuid event_id(std::uint16_t number) {
  static const Uuid now =
      *parse_uuid(socialsync::test::query("SELECT socialsync.first_log_id(now())").front());
  Uuid id = now;
  id.bytes[6] = 0x80;
  id.bytes[8] = 0x80;
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number & 255);
  return id;
}

// One event for each number.
inline std::shared_ptr<Submission> submission_of(const AccountIds& account,
                                                 const std::vector<std::uint16_t>& numbers) {
  auto made = std::make_shared<Submission>();
  for (const std::uint16_t number : numbers) {
    store::EventRow row;
    row.id = event_id(number);
    row.account_id = account.id;
    row.user_id = account.user_id;
    row.platform = "whatsapp_business";
    row.type = "messages";
    row.status = "received";
    row.payload = R"({"a":1})";
    made->events.push_back(row);
  }
  return made;
}

template <class... Numbers>
std::shared_ptr<Submission> submission(const AccountIds& account, Numbers... numbers) {
  return submission_of(account, {static_cast<std::uint16_t>(numbers)...});
}

using Committed = std::optional<Result<void, CommitError>>;

// Stores the outcome of a commit that runs beside its caller; empty until it ends.
inline asio::awaitable<void> commit_into(Batcher& batcher, std::shared_ptr<Submission> rows,
                                         std::shared_ptr<Committed> committed) {
  *committed = co_await batcher.commit(std::move(rows));
}

inline std::shared_ptr<Committed> commit_beside(const asio::any_io_executor& executor, Batcher& batcher,
                                                std::shared_ptr<Submission> rows) {
  auto committed = std::make_shared<Committed>();
  asio::co_spawn(executor, commit_into(batcher, std::move(rows), committed), asio::detached);
  return committed;
}

using Story = std::function<asio::awaitable<void>(Batcher& batcher)>;

inline asio::awaitable<void> run_beside_batcher(BatchLimits limits, pg::Connect connect, const Story& story) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  metrics::Metrics metrics;
  Batcher batcher(executor, std::move(connect), metrics, limits);
  batcher.start();
  std::exception_ptr failure;
  try {
    co_await story(batcher);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await batcher.stop();
  // The last handlers of the batcher run before it goes.
  co_await socialsync::test::pause(std::chrono::milliseconds(1));
  if (failure) std::rethrow_exception(failure);
}

// Runs the story beside a started batcher, and stops that in the end, however the story ends.
inline void with_batcher(const BatchLimits& limits, pg::Connect connect, const Story& story) {
  socialsync::test::run(run_beside_batcher(limits, std::move(connect), story));
}

}  // namespace socialsync::ingest::test
