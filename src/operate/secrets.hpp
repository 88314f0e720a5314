// The form of stored secrets, and encrypting or decrypting them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"
#include "store/secrets.hpp"

namespace socialsync::operate {

// The names of all columns with secrets, as in model/secret_columns.hpp.
std::vector<std::string> secret_column_names();

struct SecretColumnStatus {
  using Counts = std::map<std::string, std::uint64_t>;  // values by key id

  std::uint64_t plain = 0;
  Counts encrypted;            // under configured keys
  Counts unknown_key;          // under other keys
  std::uint64_t tampered = 0;  // altered, or copied from another row or column

  std::uint64_t encrypted_count() const;
  std::uint64_t unreadable_count() const;
};
using SecretStatus = std::map<std::string, SecretColumnStatus>;  // by column name

// Counts the values of all columns. `show` is called with the number of rows read. Throws Failure (refused)
// when the database is not migrated or a privilege is missing, and pg::Error.
boost::asio::awaitable<SecretStatus> secret_status(pg::Connection& connection, const crypto::SecretKeys& keys,
                                                   std::function<void(std::uint64_t rows)> show);

struct SecretsChanged {
  store::SecretReport report;
  std::vector<std::string> statements;  // that widen the columns which are too narrow
};

// store::change_secrets(), with the same failures.
boost::asio::awaitable<SecretsChanged> change_secrets(pg::Connection& connection,
                                                      const store::SecretChange& change);

}  // namespace socialsync::operate
