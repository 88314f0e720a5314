#pragma once

#include <cstddef>

namespace socialsync::parse {

struct Limits {
  std::size_t depth_max = 64;     // containers inside each other
  std::size_t events_max = 5000;  // events and unreadable parts of one body, together
  // What all parts of one body may take. Each event carries its surroundings along, so a hostile body could
  // otherwise ask for thousands of times its own size.
  std::size_t output_bytes_max = std::size_t{16} << 20;
};

// What `split` wants free behind a body, so that it need not be moved.
inline constexpr std::size_t padding_bytes = 64;

}  // namespace socialsync::parse
