// The only libpq: one connection, in pipeline mode, on an Asio executor.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pg/error.hpp"
#include "pg/options.hpp"
#include "pg/statement.hpp"

struct pg_conn;
struct pg_result;

namespace socialsync::pg {

namespace asio = boost::asio;

// Several coroutines of one thread may call run() at once: the server executes their statements in the order
// of the calls, without waiting until earlier answers are read. Discard the connection after a pg::Error of
// kind connection, a deadline or a cancellation: it is unknown which statements were executed, and every
// other run() in flight ends with an Error of kind connection.
class Connection {
 public:
  // Throws pg::Error. Names are resolved synchronously by libpq.
  static asio::awaitable<std::unique_ptr<Connection>> open(ConnectionOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs the statements in one pipeline and one implicit transaction: all are committed when it returns, none
  // when it throws an Error that is not of kind connection. Returns one ResultSet for each, in order.
  asio::awaitable<std::vector<ResultSet>> run(std::span<const Statement> batch);
  asio::awaitable<ResultSet> run(const Statement& statement);

  // Waits for a NOTIFY on a channel that this connection LISTENs to, and discards all that have arrived. No
  // run() may be in flight. Returns false if none arrived within `limit`; the connection stays usable.
  asio::awaitable<bool> notified(std::chrono::steady_clock::duration limit);
  // The same; returns their channels.
  asio::awaitable<std::set<std::string>> notified_on(std::chrono::steady_clock::duration limit);

  int server_version() const;  // 150018

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  struct Collected;

  Connection(asio::any_io_executor executor, pg_conn* connection);

  Error connection_error() const;
  void adopt_socket();
  void fail_all(const Error& why);
  bool is_prepared(std::span<const Statement> batch) const;
  void send(const Statement& statement, Collected& expected);
  asio::awaitable<void> exchange(std::span<const Statement> batch, Collected& collected);
  asio::awaitable<void> read_one();
  asio::awaitable<void> until_result();
  asio::awaitable<void> wait_for_socket(bool unsent);
  void collect(pg_result* result, Collected& collected);
  std::set<std::string> take_notifications();

  asio::any_io_executor executor_;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::optional<asio::posix::stream_descriptor> socket_;
  std::set<std::string, std::less<>> prepared_;
  std::deque<Collected*> in_flight_;  // in the order sent, which is that of the answers
  bool is_reading_ = false;           // one coroutine reads the answers of all
  bool is_reader_woken_ = false;      // its wait was cancelled so that it also sends
  asio::steady_timer changed_;        // cancelled when an answer is complete or the reader ends
  std::optional<Error> broken_;
};

}  // namespace socialsync::pg
