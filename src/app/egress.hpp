#pragma once

#include "config/config.hpp"
#include "deliver/address.hpp"

namespace socialsync::app {

// Where deliveries may go, as the settings say.
deliver::EgressPolicy egress_policy_of(const config::Egress& egress);

}  // namespace socialsync::app
