#include "migrate/steps/apply.hpp"

#include "migrate/steps/runner.hpp"

namespace socialsync::migrate {

ApplyReport apply(const pg::ConnectionOptions& options, const ApplyOptions& apply_options,
                  const ApplyEvents& events) {
  Runner runner(options, apply_options, events);
  return runner.run();
}

}  // namespace socialsync::migrate
