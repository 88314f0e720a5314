#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace socialsync::http {

// Bytes that have been read and not yet parsed: one flat buffer, filled at its end, taken from its front.
class Inbox {
 public:
  // Room to read into: all there is, and at least one byte. Grows when it must, and aims at `wanted_bytes`; a
  // buffer that had to grow is given back once it is empty. Makes pending() stale.
  std::span<char> space(std::size_t wanted_bytes);

  // The first `count` bytes of space() were filled.
  void filled(std::size_t count) { end_ += count; }

  // Valid until space().
  std::string_view pending() const { return {buffer_.get() + begin_, end_ - begin_}; }

  void consume(std::size_t count) { begin_ += count; }

 private:
  void reallocate(std::size_t capacity);

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace socialsync::http
