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

// A connection for one that waits: commands that do one thing after another. Each call throws pg::Error; one
// that cannot be made has no SQLSTATE, one that is lost has.
class Session {
 public:
  using Parameters = std::vector<std::optional<std::string>>;  // as text; nothing: NULL

  explicit Session(const ConnectionOptions& options);

  // One statement, in a transaction of its own unless BEGIN came before.
  ResultSet query(const std::string& sql, const Parameters& parameters = {});
  // Statements of one simple query: one transaction, unless they say otherwise. Gives the last one's rows.
  ResultSet execute(const std::string& sql);

  // COPY … TO STDOUT: each piece of the output as it comes.
  void copy_out(const std::string& sql, const std::function<void(std::string_view)>& piece);
  // COPY … FROM STDIN: `next` gives pieces of any size, and at the end an empty one.
  void copy_in(const std::string& sql, const std::function<std::string_view()>& next);

  // Asks the server to end the statement that runs; it then throws 57014. From any thread.
  void cancel() const noexcept;

  int server_version() const;  // 150018
  int backend_pid() const;
  // In a transaction that BEGIN began, be it one that failed.
  bool in_transaction() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  Error connection_error() const;

  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace socialsync::pg
