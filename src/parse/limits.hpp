#pragma once

#include <cstddef>

namespace socialsync::parse {

struct Limits {
  std::size_t depth_max = 64;     // nested containers
  std::size_t events_max = 5000;  // events and unreadable parts of one body, together
  // The total size of all parts of one body. Each event repeats its surroundings, so a hostile body could
  // otherwise grow to thousands of times its own size.
  std::size_t output_bytes_max = std::size_t{16} << 20;
};

// The spare capacity behind a body that saves `split` a reallocation.
inline constexpr std::size_t padding_bytes = 64;

}  // namespace socialsync::parse
