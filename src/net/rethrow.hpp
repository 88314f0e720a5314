#pragma once

#include <exception>

namespace socialsync::net {

// The completion handler of a coroutine that nobody waits for. Ending with an exception is a bug there: it
// comes out of the executor's run(), and so reaches the program's last handler.
inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace socialsync::net
