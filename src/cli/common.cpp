#include "cli/common.hpp"

namespace socialsync::cli {

int guarded(const Common& common, const std::function<int()>& work) {
  const Action action{[&work] { return static_cast<Exit>(work()); }, [&common] { return common.output; }};
  return static_cast<int>(reported(action));
}

}  // namespace socialsync::cli
