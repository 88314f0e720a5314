#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/limits.hpp"

namespace socialsync::http {

// Decodes a chunked body (RFC 9112 7.1), from the end of the head to the end of the trailers, which it drops.
// The result does not depend on how the bytes are split between calls.
class ChunkReader {
 public:
  // `limits` outlives the reader.
  explicit ChunkReader(const Limits& limits)
      : limits_(limits), trailer_bytes_left_(limits.header_bytes_max) {}

  // Appends the decoded bytes to `body`, the same one in each call, and returns how many of `bytes` it
  // consumed. Pass the others again with more behind them, unless is_done() or fault().
  std::size_t read(std::string_view bytes, std::string& body);

  // True after the end of the body: the bytes that follow belong to the next request.
  bool is_done() const { return stage_ == Stage::done; }

  // The HTTP status to answer with, or 0.
  int fault() const { return fault_; }

 private:
  enum class Stage : std::uint8_t { size, data, data_end, trailers, done };

  std::size_t read_once(std::string_view bytes, std::string& body);
  std::size_t read_size(std::string_view bytes, std::size_t body_bytes);
  std::size_t read_data(std::string_view bytes, std::string& body);
  std::size_t read_data_end(std::string_view bytes);
  std::size_t read_trailer(std::string_view bytes);
  std::string_view take_line(std::string_view bytes, std::size_t bytes_max);
  std::size_t fail(int status);

  const Limits& limits_;
  std::size_t trailer_bytes_left_;
  std::size_t data_bytes_left_ = 0;
  Stage stage_ = Stage::size;
  int fault_ = 0;
};

}  // namespace socialsync::http
