// Seals, reseals or opens the secrets of all accounts and endpoints in place, while the application runs: in
// short batches, only values that need it, so that a second run changes nothing and one that was stopped goes
// on.
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
    seal,    // what is plain, under the first key
    reseal,  // what is under another key, under the first
    open     // what is sealed becomes plain
  };

  Kind kind = Kind::seal;
  crypto::SecretKeys keys;
  std::vector<std::string> columns;  // names of model/secret_columns.hpp
  bool is_preview = false;
  int passes_max = 3;                                   // over values whose rows were locked or changed
  std::function<bool()> interrupted{};                  // asked between batches; may be empty
  std::function<void(std::uint64_t rows)> looked_at{};  // so far, in this pass; may be empty
};

struct SecretReport {
  struct Left {
    std::string id;  // of the row
    std::string column;
    std::string why;  // too_narrow, unknown_key, tampered

    friend auto operator<=>(const Left&, const Left&) = default;
  };
  // Values that are longer, when sealed, than their column is wide.
  struct TooNarrow {
    std::uint64_t values = 0;
    std::size_t longest = 0;  // characters, sealed

    friend bool operator==(const TooNarrow&, const TooNarrow&) = default;
  };
  static constexpr std::size_t left_listed_max = 1000;

  std::map<std::string, std::uint64_t> changed;  // values by column; of a preview: that would change
  std::map<std::string, TooNarrow> too_narrow;   // by column
  std::vector<Left> left;                        // values that stay as they are; the first of them
  std::uint64_t left_count = 0;                  // all
  std::uint64_t busy = 0;                        // values whose rows were locked, or changed, to the end
  bool held_off = false;                         // a migration or rollback runs: it ended there
  bool interrupted = false;
};

// Throws pg::Error; whatever was committed by then stays, and the same again goes on.
boost::asio::awaitable<SecretReport> change_secrets(pg::Connection& connection, const SecretChange& change);

}  // namespace socialsync::store
