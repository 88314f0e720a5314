// The values of secret columns, for encrypting and decrypting them in place. Columns are named as in
// model/secret_columns.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"

namespace socialsync::store {

struct StoredSecret {
  std::string id;  // of the row
  std::string column;
  std::string value;
};
// Returns the row and column that an encrypted value is bound to.
std::string place_of(const StoredSecret& secret);

enum class SecretForm {
  plain,       // plaintext, or a list with a plaintext entry
  sealed,      // encrypted as a whole
  any_sealed,  // encrypted, or a list with an encrypted entry
};

struct SecretPage {
  std::vector<StoredSecret> secrets;
  std::uint64_t rows = 0;              // that were read
  std::optional<std::string> last_id;  // nothing: this was the last page
};

// Groups the columns by table.
std::vector<std::vector<std::string>> by_table(std::span<const std::string> columns);

// Returns the values of that form in those columns (of one table) from the next rows after `after`, ordered
// by id. Empty values, and values of only blanks and commas, are skipped. Throws pg::Error.
boost::asio::awaitable<SecretPage> select_secrets(pg::Connection& connection, SecretForm form,
                                                  std::span<const std::string> columns,
                                                  const std::optional<std::string>& after);

struct SecretReplacement {
  std::string id;
  std::string from;
  std::string to;
};

struct Replaced {
  std::uint64_t count = 0;
  bool is_held_off = false;  // a migration or rollback is running: no value was changed
};

// Replaces values of one column in one statement. A value that is no longer `from`, and a locked row, are
// skipped. Throws pg::Error.
boost::asio::awaitable<Replaced> replace_secrets(pg::Connection& connection, std::string_view column,
                                                 std::span<const SecretReplacement> replacements);

// Counts plaintext values by column. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, std::uint64_t>> count_plain_secrets(pg::Connection& connection);

// Returns the width of each secret column in characters, without unlimited columns. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, std::size_t>> secret_widths(pg::Connection& connection);

// Returns the statements, in order, that widen a column: triggers that name the column are dropped and
// created again. Throws pg::Error.
boost::asio::awaitable<std::vector<std::string>> widening_statements(pg::Connection& connection,
                                                                     const std::string& column,
                                                                     std::size_t characters);

// Returns why this role cannot read (and write) those columns in all rows; empty when it can. Throws
// pg::Error.
boost::asio::awaitable<std::string> secrets_obstacle(pg::Connection& connection,
                                                     std::span<const std::string> columns, bool writes);

// Sets a lock timeout for all statements of this connection. Throws pg::Error.
boost::asio::awaitable<void> limit_lock_waits(pg::Connection& connection);

}  // namespace socialsync::store
