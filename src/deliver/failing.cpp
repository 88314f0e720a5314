#include "deliver/failing.hpp"

#include <array>

namespace socialsync::deliver {

FailingMark failing_mark(std::chrono::system_clock::time_point failing_since,
                         std::chrono::system_clock::time_point now, FailingMark marked) {
  constexpr std::array highest_first = {FailingMark::all, FailingMark::nearly_all, FailingMark::most,
                                        FailingMark::half};
  for (const FailingMark mark : highest_first) {
    const bool is_passed = now - failing_since >= failing_max * static_cast<int>(mark) / 100;
    if (is_passed) return mark > marked ? mark : FailingMark::none;
  }
  return FailingMark::none;
}

}  // namespace socialsync::deliver
