// What two directories would route differently.
#pragma once

#include <string>
#include <vector>

#include "route/directory.hpp"

namespace socialsync::route {

// The keys under which events of this account may be kept in quarantine.
std::vector<std::string> keys_of(const model::Account& account);

// The keys of the accounts that are new in `after`, gone from it or otherwise than in `before`: events of no
// other key are routed differently, but for WhatsApp's that name a number by its digits and a WABA that was
// nobody's. Sorted, each once.
std::vector<std::string> changed_keys(const Directory& before, const Directory& after);

}  // namespace socialsync::route
