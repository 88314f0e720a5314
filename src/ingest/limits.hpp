#pragma once

#include <cstddef>

namespace socialsync::ingest {

// Limits of one body's rows. An event of a WABA has a row for each of its accounts, which would multiply a
// hostile body. A body beyond the limits is quarantined whole.
struct Limits {
  std::size_t rows_per_body_max = 20'000;
  std::size_t logged_bytes_per_body_max = std::size_t{64} << 20;
};

}  // namespace socialsync::ingest
