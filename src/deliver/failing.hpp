// An endpoint that has done nothing but fail, and what is to be done about it.
#pragma once

#include <chrono>

namespace socialsync::deliver {

// An endpoint with nothing but failures for so long is disabled.
inline constexpr std::chrono::hours failing_max = std::chrono::days{5};

// How far it is on that way, in per cent.
enum class FailingMark {
  none = 0,
  half = 50,
  most = 70,
  nearly_all = 90,
  all = 100,  // to be disabled
};

// The mark that was passed since `marked` was the last; none when there is nothing new to say. When several
// were passed at once, the highest. `failing_since`: the first failure that no success came after.
FailingMark failing_mark(std::chrono::system_clock::time_point failing_since,
                         std::chrono::system_clock::time_point now, FailingMark marked);

}  // namespace socialsync::deliver
