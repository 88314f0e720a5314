// A real PostgreSQL that has our schema: what SOCIALSYNC_TEST_DSN names. test/support/cluster.py makes one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::test {

// Throws std::runtime_error where the environment names no database.
pg::ConnectionOptions database_options();

// Runs the work, and all that it has spawned, to its end on this thread.
template <class T>
T run(boost::asio::awaitable<T> work) {
  boost::asio::io_context context(1);
  auto result = boost::asio::co_spawn(context, std::move(work), boost::asio::use_future);
  context.run();
  return result.get();
}

boost::asio::awaitable<std::unique_ptr<pg::Connection>> connect();

// Runs one statement over a connection of its own: the first value of each row, "NULL" for a null. Throws
// pg::Error.
std::vector<std::string> query(const std::string& sql);

// Leaves no user, account, event or quarantined body.
void clear_database();

struct AccountIds {
  Uuid id;
  Uuid user_id;
};

// A new user's new account. `columns` sets further columns: {"phone_number_id", "'111'"}, as SQL.
AccountIds insert_account(const std::string& platform,
                          const std::vector<std::pair<std::string, std::string>>& columns = {});

boost::asio::awaitable<void> pause(std::chrono::milliseconds duration);

// Waits, up to ten seconds, until `condition` holds: whether it does.
boost::asio::awaitable<bool> until(std::function<bool()> condition);

}  // namespace socialsync::test
