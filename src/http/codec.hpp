#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "http/limits.hpp"
#include "http/message.hpp"

namespace socialsync::http {

// Parses HTTP/1.x requests from a stream of bytes, without I/O: bytes enter through space() and received(),
// and next() returns the events they complete. The events do not depend on how the bytes were split.
// Pipelined requests are returned one after the other.
class Codec {
 public:
  enum class Event : std::uint8_t {
    needs_more,  // no further event without more bytes
    head,        // request() is complete except for its body
    request,     // take_request() is due
    error,       // the stream cannot be parsed further: answer error_status() and close
  };

  // `limits` outlives the codec.
  explicit Codec(const Limits& limits);
  ~Codec();
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  // Returns the buffer for the next bytes, never empty. Call received() with the number of bytes read into
  // it.
  std::span<char> space();
  void received(std::size_t count);

  // Returns the next event: head, request, head, request, … and then needs_more or error.
  Event next();

  // True once a byte of the next request has arrived.
  bool started() const;

  // Valid from Event::head until take_request():
  const Request& request() const;
  bool keep_alive() const;        // by version and Connection; also valid after take_request()
  bool expects_continue() const;  // Expect: 100-continue
  std::optional<std::size_t> body_bytes_left() const;  // unknown for a chunked body

  // Call once after each Event::request.
  Request take_request();

  // The HTTP status after Event::error: 400, 413, 417, 431 or 501.
  int error_status() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace socialsync::http
