#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace socialsync::pg {

// The kinds of errors, by their meaning for the caller.
enum class ErrorKind {
  connection,  // the connection is lost; it is unknown if a commit happened
  transient,   // a retry may succeed: deadlock, serialization, shutdown, no space, read-only standby
  data,        // these values are refused: a retry cannot succeed
  other,       // any other: table missing, privilege missing, a bug in the statement
};

// A failed connection or statement. what() is PostgreSQL's primary message: it never holds parameters or
// passwords, but may quote a part of a bad value, so show it to operators only.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, std::string sqlstate, std::string detail = {});

  // Five characters, or empty when the failure did not come from the server.
  const std::string& sqlstate() const { return sqlstate_; }
  ErrorKind kind() const { return kind_; }
  // The server's DETAIL, in lines: the dependent objects, for example. May quote a row.
  const std::string& detail() const { return detail_; }

  // True for a lock timeout, a deadlock or a serialization failure: a retry may succeed.
  bool is_lock_conflict() const;

 private:
  std::string sqlstate_;
  std::string detail_;
  ErrorKind kind_;
};

// https://www.postgresql.org/docs/current/errcodes-appendix.html
ErrorKind classify(std::string_view sqlstate);

// Returns a message of libpq without its trailing line ends; empty for null.
std::string trimmed(const char* text);

}  // namespace socialsync::pg
