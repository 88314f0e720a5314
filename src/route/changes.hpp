// The routing keys whose events two directories route differently.
#pragma once

#include <string>
#include <vector>

#include "route/directory.hpp"

namespace socialsync::route {

// Returns the routing keys under which quarantine may hold events of this account.
std::vector<std::string> keys_of(const model::Account& account);

// Returns the keys of all accounts that were added, removed or changed between `before` and `after`; sorted,
// unique. Events of other keys are routed as before, except WhatsApp events that name a number by its digits,
// and those of a WABA without an account in `before`.
std::vector<std::string> changed_keys(const Directory& before, const Directory& after);

}  // namespace socialsync::route
