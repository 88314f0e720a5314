#pragma once

#include <vector>

#include "config/config.hpp"

namespace socialsync::config {

// SOCIALSYNC_EGRESS_ALLOW and SOCIALSYNC_EGRESS_PROXY. What is wrong goes to `problems`, without the proxy's
// password.
void read_egress(const Lookup& lookup, Egress& egress, std::vector<Problem>& problems);

}  // namespace socialsync::config
