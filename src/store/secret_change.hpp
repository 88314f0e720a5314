// Encrypts, re-encrypts or decrypts the secrets of all accounts and endpoints in place, while the application
// runs. Works in short batches and changes only values that need it: a second run changes nothing, and an
// interrupted run is resumed by running it again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

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
    std::string id;  // of the row
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
