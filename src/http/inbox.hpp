#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace socialsync::http {

// Received bytes that are not parsed yet: one contiguous buffer, filled at its end, consumed from its front.
class Inbox {
 public:
  // Returns the free space to read into, at least one byte. Grows for `wanted_bytes` when it must; a grown
  // buffer is released once it is empty. Invalidates pending().
  std::span<char> space(std::size_t wanted_bytes);

  // Call after reading `count` bytes into space().
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
