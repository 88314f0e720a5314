#pragma once

#include <exception>

namespace socialsync::net {

// The completion handler of a detached coroutine. An exception in such a coroutine is a bug: run() of the
// executor throws it, so it reaches the program's last handler.
inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace socialsync::net
