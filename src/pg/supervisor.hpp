// Keeps a task running over a database connection: reconnects, with a growing pause, when one fails.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"

namespace socialsync::pg {

// Opens a connection. Throws pg::Error or boost::system::system_error.
using Connect = std::function<asio::awaitable<std::unique_ptr<Connection>>()>;

// The pause before the next connection, doubled with each failure in a row.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds pause_min{100};
    std::chrono::milliseconds pause_max{5'000};
  };

  explicit Backoff(Limits limits) : limits_(limits) {}

  // Returns how long to wait after a connection that was used for `lasted`. One that lasted longer than the
  // longest pause worked: the pauses begin anew.
  std::chrono::milliseconds failed(std::chrono::steady_clock::duration lasted) {
    if (lasted > limits_.pause_max) succeeded();
    pause_ = std::clamp(pause_ * 2, limits_.pause_min, limits_.pause_max);
    return pause_;
  }
  // The pauses begin anew.
  void succeeded() { pause_ = std::chrono::milliseconds(0); }

 private:
  Limits limits_;
  std::chrono::milliseconds pause_{0};
};

struct Supervised {
  const char* name = "";  // in the log
  std::function<asio::awaitable<void>(Connection& connection)> run;
  std::function<bool()> is_wanted = [] { return true; };  // asked before each connection and each pause
  // Told of each failure, before it is logged. May throw: supervise() then ends with that exception.
  std::function<void(const std::exception& error)> on_failure = [](const std::exception&) {};
};

// Runs the task over one connection after another, until it returns or is no longer wanted.
asio::awaitable<void> supervise(Connect connect, Supervised task, Backoff::Limits limits = {});

}  // namespace socialsync::pg
