#include "http/inbox.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace socialsync::http {
namespace {

// Large enough for nearly every webhook in one read; an idle connection keeps this much.
constexpr std::size_t usual_bytes = 8 * 1024;

}  // namespace

std::span<char> Inbox::space(std::size_t wanted_bytes) {
  const std::size_t pending_bytes = end_ - begin_;
  const std::size_t needed =
      std::max(usual_bytes, std::bit_ceil(pending_bytes + std::max<std::size_t>(wanted_bytes, 1)));
  const bool oversized = pending_bytes == 0 && capacity_ > needed;
  if (capacity_ < needed || oversized) {
    reallocate(needed);
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, pending_bytes);
  }
  begin_ = 0;
  end_ = pending_bytes;
  return {buffer_.get() + end_, capacity_ - end_};
}

void Inbox::reallocate(std::size_t capacity) {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (end_ > begin_) std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace socialsync::http
