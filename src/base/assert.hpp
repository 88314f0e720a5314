// Assertions of counts and states that only a bug in this program can break. On in debug builds and in test
// programs, off in the program as shipped: there each costs one branch that is always predicted.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace socialsync::assertions {

#ifdef NDEBUG
inline bool are_on = false;
#else
inline bool are_on = true;
#endif

[[noreturn]] inline void fail(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace socialsync::assertions

// Ends the program with a message on stderr when `condition` is false and assertions are on.
#define SOCIALSYNC_ASSERT(condition)                                 \
  (!::socialsync::assertions::are_on || static_cast<bool>(condition) \
       ? static_cast<void>(0)                                        \
       : ::socialsync::assertions::fail(#condition, __FILE__, __LINE__))
