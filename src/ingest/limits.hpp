#pragma once

#include <cstddef>

namespace socialsync::ingest {

// Of what one body becomes. An event about a WABA has a row for each of its accounts, which would multiply a
// hostile body; what goes beyond is kept with the whole body in quarantine.
struct Limits {
  std::size_t rows_per_body_max = 20'000;
  std::size_t logged_bytes_per_body_max = std::size_t{64} << 20;
};

}  // namespace socialsync::ingest
