// The values of secret columns, and encrypting and decrypting them in place. Columns are named as in
// model/secret_columns.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

struct StoredSecret {
  std::string id;  // the row's
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

struct SecretChange {
  enum class Kind {
    seal,    // encrypt plaintext under the first key
    reseal,  // encrypt values of other keys under the first
    open     // decrypt to plaintext
  };

  Kind kind = Kind::seal;
  crypto::SecretKeys keys;
  std::vector<std::string> columns;  // names of model/secret_columns.hpp
  bool is_preview = false;
  int passes_max = 3;                                   // retries for rows that were locked or changed
  std::function<bool()> interrupted{};                  // called between batches; may be empty
  std::function<void(std::uint64_t rows)> looked_at{};  // progress of this pass; may be empty
};

struct SecretReport {
  struct Left {
    std::string id;  // the row's
    std::string column;
    std::string why;  // too_narrow, unknown_key or tampered

    friend auto operator<=>(const Left&, const Left&) = default;
  };
  // Values that, encrypted, are too long for their column.
  struct TooNarrow {
    std::uint64_t values = 0;
    std::size_t longest = 0;  // characters, encrypted

    friend bool operator==(const TooNarrow&, const TooNarrow&) = default;
  };
  static constexpr std::size_t left_listed_max = 1000;

  std::map<std::string, std::uint64_t> changed;  // values by column; in a preview, those that would change
  std::map<std::string, TooNarrow> too_narrow;   // by column
  std::vector<Left> left;                        // unchanged values; only the first are listed
  std::uint64_t left_count = 0;                  // of all unchanged values
  std::uint64_t busy = 0;                        // values whose rows stayed locked, or kept changing
  bool held_off = false;                         // stopped: a migration or rollback is running
  bool interrupted = false;
};

// Throws pg::Error; committed changes stay, and another run continues.
boost::asio::awaitable<SecretReport> change_secrets(pg::Connection& connection, const SecretChange& change);

}  // namespace socialsync::store
