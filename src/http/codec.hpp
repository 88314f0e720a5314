#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "http/limits.hpp"
#include "http/message.hpp"

namespace socialsync::http {

// HTTP/1.x requests out of a stream of bytes, without any I/O: bytes go in through space() and received(),
// and next() tells what they amount to. What comes out does not depend on how the bytes were cut in pieces.
// Requests that follow each other unasked (pipelining) come out one after the other.
class Codec {
 public:
  enum class Event : std::uint8_t {
    needs_more,  // nothing new without more bytes
    head,        // request() is complete but for its body
    request,     // take_request() is due
    error,       // the stream cannot be read on: answer error_status() and close
  };

  // `limits` outlives the codec.
  explicit Codec(const Limits& limits);
  ~Codec();
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  // Room for the next bytes, never empty; then received() says how many were put there.
  std::span<char> space();
  void received(std::size_t count);

  // Everything the bytes amount to, one event a call: head, request, head, request, … needs_more or error.
  Event next();

  // Whether a byte of the request that next() is waiting for has come.
  bool started() const;

  // From Event::head until take_request():
  const Request& request() const;
  bool keep_alive() const;  // what the client wants, by version and Connection; also after take_request()
  bool expects_continue() const;                       // Expect: 100-continue
  std::optional<std::size_t> body_bytes_left() const;  // nothing is known of a chunked body

  // Once after each Event::request.
  Request take_request();

  // After Event::error: 400, 413, 417, 431 or 501.
  int error_status() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace socialsync::http
