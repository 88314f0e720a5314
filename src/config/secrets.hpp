#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace socialsync::config {

// The keys of SOCIALSYNC_SECRETS_KEY, SOCIALSYNC_SECRETS_KEY_FILE or systemd's credential, of which one may
// be there, and SOCIALSYNC_SECRETS_SEAL. What is wrong goes to `problems`, without any value.
SecretsAtRest read_secrets_at_rest(const Lookup& lookup, std::vector<Problem>& problems);

}  // namespace socialsync::config
