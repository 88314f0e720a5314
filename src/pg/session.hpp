#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/error.hpp"
#include "pg/options.hpp"
#include "pg/statement.hpp"

struct pg_conn;

namespace socialsync::pg {

// A blocking connection, for commands. Each call throws pg::Error: without an SQLSTATE if the connection
// cannot be opened, with one if it is lost.
class Session {
 public:
  using Parameters = std::vector<std::optional<std::string>>;  // in text format; nothing: NULL

  explicit Session(const ConnectionOptions& options);

  // One statement, in a transaction of its own unless BEGIN came before.
  ResultSet query(const std::string& sql, const Parameters& parameters = {});
  // Runs a simple query of one or more statements, in one transaction unless they say otherwise. Returns the
  // rows of the last.
  ResultSet execute(const std::string& sql);

  // COPY … TO STDOUT: calls `piece` with each part of the output.
  void copy_out(const std::string& sql, const std::function<void(std::string_view)>& piece);
  // COPY … FROM STDIN: `next` returns parts of any size, and an empty one at the end.
  void copy_in(const std::string& sql, const std::function<std::string_view()>& next);

  // Cancels the running statement, whose call then throws query_canceled. Any thread.
  void cancel() const noexcept;

  int server_version() const;  // 150018
  int backend_pid() const;
  // True within BEGIN and its end, also after an error.
  bool in_transaction() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  Error connection_error() const;

  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace socialsync::pg
