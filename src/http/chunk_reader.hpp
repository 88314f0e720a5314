#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/limits.hpp"

namespace socialsync::http {

// Takes a chunked body apart (RFC 9112 7.1), from after the head to after the trailers, which are passed
// over. What comes out does not depend on how the bytes are cut in pieces.
class ChunkReader {
 public:
  // `limits` outlives the reader.
  explicit ChunkReader(const Limits& limits)
      : limits_(limits), trailer_bytes_left_(limits.header_bytes_max) {}

  // Appends to `body`, always the same one, what `bytes` hold of it, and says how many bytes have been used
  // up. Those that were not are to be given again with more behind them, unless is_done() or fault().
  std::size_t read(std::string_view bytes, std::string& body);

  // The end has been read: what follows belongs to the next request.
  bool is_done() const { return stage_ == Stage::done; }

  // The status to answer with, or 0.
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
