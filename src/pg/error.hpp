#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace socialsync::pg {

// What an error means for whoever wanted the statement run.
enum class ErrorKind {
  connection,  // the connection is gone; whether a commit happened is unknown
  transient,   // the server asks to try again: deadlock, serialization, shutdown, no space, read-only standby
  data,        // these very values are refused: trying again cannot help
  other,       // anything else: missing table, missing right, a bug in the statement
};

// A failed connection or statement. what() is PostgreSQL's primary message: it never holds parameters or
// passwords, but may quote a part of a bad value, so show it to operators only.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, std::string sqlstate, std::string detail = {});

  // Five characters, or empty when the failure did not come from the server.
  const std::string& sqlstate() const { return sqlstate_; }
  ErrorKind kind() const { return kind_; }
  // The server's own second half, in lines: which things depend on the one that was to go, say. May quote a
  // row.
  const std::string& detail() const { return detail_; }

  // Lost to others: no lock in time, a deadlock, or a serialization failure. The same again may succeed.
  bool is_lock_conflict() const;

 private:
  std::string sqlstate_;
  std::string detail_;
  ErrorKind kind_;
};

// https://www.postgresql.org/docs/current/errcodes-appendix.html
ErrorKind classify(std::string_view sqlstate);

}  // namespace socialsync::pg
