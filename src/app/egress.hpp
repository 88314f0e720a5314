#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "deliver/wire/address.hpp"
#include "net/cidr.hpp"

namespace socialsync::app {

// Returns the egress policy of the settings.
inline deliver::EgressPolicy egress_policy_of(const config::Egress& egress) {
  std::vector<net::Cidr> allowed;
  for (const std::string& network : egress.allowed) {
    if (auto cidr = net::Cidr::parse(network)) allowed.push_back(*cidr);  // config refuses others
  }
  return {std::move(allowed), egress.http, egress.proxy};
}

}  // namespace socialsync::app
