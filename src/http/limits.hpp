#pragma once

#include <chrono>
#include <cstddef>

namespace socialsync::http {

// Every limit of the server, with its default. Timeouts are counted in coarse ticks: they end up to two ticks
// late, never early.
struct Limits {
  std::size_t header_bytes_max = 16 * 1024;  // request line and fields; also a chunked body's trailers: 431
  std::size_t headers_max = 100;             // fields: 431
  std::size_t body_bytes_max = 4 * 1024 * 1024;  // 413
  std::size_t chunk_line_bytes_max = 256;        // a chunk's size and extensions: 431
  // All bodies being read or handled, together, in received bytes. Beyond: 503.
  std::size_t bodies_bytes_max = 512 * 1024 * 1024;
  std::size_t drain_bytes_max =
      64 * 1024;  // a refused body up to this size is read and dropped; beyond: closed
  std::size_t linger_bytes_max = 1024 * 1024;  // read after the last answer, so that no reset overtakes it
  std::size_t connections_max = 4096;          // beyond: 503 and Retry-After
  std::size_t turned_away_max =
      256;  // connections answered with 503 at a time; beyond: closed without an answer
  std::chrono::milliseconds header_timeout{10'000};  // first byte to end of head: 408
  std::chrono::milliseconds body_timeout{30'000};    // end of head to end of body: 408
  std::chrono::milliseconds idle_timeout{75'000};    // between requests: closed without an answer
  std::chrono::milliseconds write_timeout{10'000};   // one answer: closed
  std::chrono::milliseconds linger_timeout{2'000};
  std::chrono::milliseconds tick{250};
};

}  // namespace socialsync::http
