// The columns of secrets, value by value, for sealing and opening them in place. Columns go by their names in
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
  std::string id;  // of its row
  std::string column;
  std::string value;
};
// What it is bound to when it is sealed.
std::string place_of(const StoredSecret& secret);

enum class SecretForm {
  plain,       // or a list with a plain entry
  sealed,      // as a whole
  any_sealed,  // that, or a list with a sealed entry
};

struct SecretPage {
  std::vector<StoredSecret> secrets;
  std::uint64_t rows = 0;              // looked at
  std::optional<std::string> last_id;  // nothing: there are no more
};

// Each table's columns among those, for a walk through one table after another.
std::vector<std::vector<std::string>> by_table(std::span<const std::string> columns);

// Values of that form in those columns, all of one table, of the next rows after `after` in the order of
// their ids. Empty values are none, nor are blanks and commas alone. Throws pg::Error.
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
  bool is_held_off = false;  // a migration or rollback runs: nothing was done
};

// Replaces values of one column in one statement, each only where it is still `from` and nobody has locked
// the row. Throws pg::Error.
boost::asio::awaitable<Replaced> replace_secrets(pg::Connection& connection, std::string_view column,
                                                 std::span<const SecretReplacement> replacements);

// How many plain values each column has. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, std::uint64_t>> count_plain_secrets(pg::Connection& connection);

// How many characters each column of secrets takes; one without a limit is not in it. Throws pg::Error.
boost::asio::awaitable<std::map<std::string, std::size_t>> secret_widths(pg::Connection& connection);

// The statements that make a column that wide, in the order to run them: a trigger that names the column is
// made anew around them. Throws pg::Error.
boost::asio::awaitable<std::vector<std::string>> widening_statements(pg::Connection& connection,
                                                                     const std::string& column,
                                                                     std::size_t characters);

// Why this role cannot read (and write) those columns of all rows; empty when it can. Throws pg::Error.
boost::asio::awaitable<std::string> secrets_obstacle(pg::Connection& connection,
                                                     std::span<const std::string> columns, bool writes);

// No statement of this connection waits longer than this for a lock. Throws pg::Error.
boost::asio::awaitable<void> limit_lock_waits(pg::Connection& connection);

}  // namespace socialsync::store
