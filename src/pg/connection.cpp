#include "pg/connection.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

namespace socialsync::pg {
namespace {

using Wait = asio::posix::stream_descriptor::wait_type;

// A dying server may never send the end of the pipeline: more separators in a row than this is a lost
// connection.
constexpr int separators_in_a_row_max = 3;

Error error_of(const PGresult* result) {
  const auto field = [result](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text ? text : "");
  };
  const std::string primary = field(PG_DIAG_MESSAGE_PRIMARY);
  return {primary.empty() ? trimmed(PQresultErrorMessage(result)) : primary, field(PG_DIAG_SQLSTATE),
          field(PG_DIAG_MESSAGE_DETAIL)};
}

}  // namespace

// The answers to a pipeline so far.
struct Connection::Collected {
  // For each command sent, in order: the name when it was a PREPARE, else empty.
  std::vector<std::string> commands;
  std::set<std::string, std::less<>> preparing;  // the names among them
  std::size_t answered = 0;
  int separators = 0;
  bool done = false;
  std::optional<Error> failure;
  std::vector<ResultSet> results;
};

void Connection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(asio::any_io_executor executor, pg_conn* connection)
    : executor_(std::move(executor)),
      connection_(connection),
      changed_(executor_, asio::steady_timer::time_point::max()) {
  if (!connection_) throw std::bad_alloc();
  if (PQstatus(connection_.get()) == CONNECTION_BAD) throw connection_error();
}

Connection::~Connection() {
  // libpq closes the socket; Asio must not.
  if (socket_ && socket_->is_open()) socket_->release();
}

Error Connection::connection_error() const { return {trimmed(PQerrorMessage(connection_.get())), ""}; }

int Connection::server_version() const { return PQserverVersion(connection_.get()); }

void Connection::adopt_socket() {
  // libpq may have opened another socket since the last poll, even under the same number.
  if (socket_) socket_->release();
  socket_.emplace(executor_, PQsocket(connection_.get()));
}

// Waits until the socket is readable or, with bytes unsent, writable.
asio::awaitable<void> Connection::wait_for_socket(bool unsent) {
  using namespace asio::experimental::awaitable_operators;
  // As tuples neither arm throws, so the first to end decides.
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  boost::system::error_code error;
  if (unsent) {
    auto either =
        socket_->async_wait(Wait::wait_read, as_tuple) || socket_->async_wait(Wait::wait_write, as_tuple);
    const auto outcome = co_await std::move(either);
    error = outcome.index() == 0 ? std::get<0>(std::get<0>(outcome)) : std::get<0>(std::get<1>(outcome));
  } else {
    const auto outcome = co_await socket_->async_wait(Wait::wait_read, as_tuple);
    error = std::get<0>(outcome);
  }
  if (broken_) throw *broken_;
  const bool is_woken = std::exchange(is_reader_woken_, false);
  if (error && !is_woken) throw boost::system::system_error(error);
}

asio::awaitable<std::unique_ptr<Connection>> Connection::open(ConnectionOptions options) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  auto executor = co_await asio::this_coro::executor;
  constexpr int expand_dbname = 1;
  std::unique_ptr<Connection> self(
      new Connection(executor, PQconnectStartParams(keywords.data(), values.data(), expand_dbname)));
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) throw self->connection_error();
    self->adopt_socket();
    const Wait wait = status == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write;
    co_await self->socket_->async_wait(wait, asio::use_awaitable);
    status = PQconnectPoll(self->connection_.get());
  }
  self->adopt_socket();
  if (PQsetnonblocking(self->connection_.get(), 1) != 0 || PQenterPipelineMode(self->connection_.get()) != 1)
    throw self->connection_error();
  co_return self;
}

void Connection::send(const Statement& statement, Collected& expected) {
  if (!prepared_.contains(statement.name) && expected.preparing.emplace(statement.name).second) {
    if (PQsendPrepare(connection_.get(), statement.name, statement.sql, 0, nullptr) != 1)
      throw connection_error();
    expected.commands.emplace_back(statement.name);
  }
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const auto& parameter : statement.parameters) {
    values.push_back(parameter.value ? parameter.value->c_str() : nullptr);
    lengths.push_back(parameter.value ? static_cast<int>(parameter.value->size()) : 0);
    formats.push_back(parameter.binary ? 1 : 0);
  }
  if (PQsendQueryPrepared(connection_.get(), statement.name, static_cast<int>(values.size()), values.data(),
                          lengths.data(), formats.data(), statement.binary_results ? 1 : 0) != 1)
    throw connection_error();
  expected.commands.emplace_back();
}

// Waits until PQgetResult does not block. Reads while it writes, otherwise client and server could deadlock.
asio::awaitable<void> Connection::until_result() {
  while (PQisBusy(connection_.get()) == 1) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) throw connection_error();
    co_await wait_for_socket(unsent > 0);
    if (PQconsumeInput(connection_.get()) != 1) throw connection_error();
  }
}

void Connection::collect(pg_result* result, Collected& collected) {
  if (!result) {
    // A null separates the answers of two commands.
    if (++collected.separators > separators_in_a_row_max) throw connection_error();
    return;
  }
  collected.separators = 0;
  ResultSet owned(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_PIPELINE_SYNC) {
    collected.done = true;
    return;
  }
  if (status == PGRES_FATAL_ERROR && !collected.failure) collected.failure = error_of(result);
  const bool answered = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (collected.answered == collected.commands.size()) return;  // the server ends the connection, e.g. 57P01
  const std::string& prepared = collected.commands[collected.answered++];
  if (answered && !prepared.empty()) prepared_.insert(prepared);
  if (prepared.empty()) collected.results.push_back(std::move(owned));
}

// Reads the answer of the first run() in flight.
asio::awaitable<void> Connection::read_one() {
  is_reading_ = true;
  while (!in_flight_.front()->done) {
    co_await until_result();
    collect(PQgetResult(connection_.get()), *in_flight_.front());
    if (PQstatus(connection_.get()) == CONNECTION_BAD && !in_flight_.front()->done) throw connection_error();
  }
  in_flight_.pop_front();
  is_reading_ = false;
  changed_.cancel();
}

bool Connection::is_prepared(std::span<const Statement> batch) const {
  return std::ranges::all_of(
      batch, [this](const Statement& statement) { return prepared_.contains(statement.name); });
}

asio::awaitable<void> Connection::exchange(std::span<const Statement> batch, Collected& collected) {
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  // A PREPARE in flight may fail with its pipeline: no batch that needs or repeats it is sent before its
  // answer.
  while (!in_flight_.empty() && !broken_ && !is_prepared(batch)) co_await changed_.async_wait(as_tuple);
  if (broken_) throw *broken_;
  in_flight_.push_back(&collected);
  for (const Statement& statement : batch) send(statement, collected);
  if (PQpipelineSync(connection_.get()) != 1) throw connection_error();
  if (is_reading_ && PQflush(connection_.get()) > 0) {
    is_reader_woken_ = true;
    socket_->cancel();
  }
  while (!collected.done) {
    if (broken_) throw *broken_;
    if (is_reading_) {
      co_await changed_.async_wait(as_tuple);
    } else {
      co_await read_one();
    }
  }
}

// It is unknown which statements were executed: every run() in flight fails.
void Connection::fail_all(const Error& why) {
  if (!broken_) broken_ = why;
  in_flight_.clear();
  changed_.cancel();
  if (socket_ && socket_->is_open()) socket_->cancel();
}

asio::awaitable<std::vector<ResultSet>> Connection::run(std::span<const Statement> batch) {
  Collected collected;
  try {
    co_await exchange(batch, collected);
  } catch (const Error& error) {
    // A FATAL answer is the server's last, and says more than libpq's error after it.
    const bool is_fatal = collected.failure && collected.failure->kind() == ErrorKind::connection;
    fail_all(is_fatal ? *collected.failure : error);
    if (is_fatal) throw *collected.failure;
    throw;
  } catch (...) {
    fail_all({"cancelled with another statement on the same connection", ""});
    throw;
  }
  if (collected.failure) throw *collected.failure;
  co_return std::move(collected.results);
}

asio::awaitable<ResultSet> Connection::run(const Statement& statement) {
  std::vector<ResultSet> results = co_await run(std::span(&statement, 1));
  co_return std::move(results.front());
}

std::set<std::string> Connection::take_notifications() {
  std::set<std::string> channels;
  while (PGnotify* notification = PQnotifies(connection_.get())) {
    channels.emplace(notification->relname);
    PQfreemem(notification);
  }
  return channels;
}

asio::awaitable<bool> Connection::notified(std::chrono::steady_clock::duration limit) {
  const std::set<std::string> channels = co_await notified_on(limit);
  co_return !channels.empty();
}

asio::awaitable<std::set<std::string>> Connection::notified_on(std::chrono::steady_clock::duration limit) {
  using namespace asio::experimental::awaitable_operators;
  // As tuples neither arm throws, so the first to end decides.
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer timer(executor_, limit);
  std::set<std::string> channels = take_notifications();
  while (channels.empty()) {
    auto either = socket_->async_wait(Wait::wait_read, as_tuple) || timer.async_wait(as_tuple);
    const auto outcome = co_await std::move(either);
    if (outcome.index() == 1) break;
    if (PQconsumeInput(connection_.get()) != 1) throw connection_error();
    channels = take_notifications();
  }
  co_return channels;
}

}  // namespace socialsync::pg
