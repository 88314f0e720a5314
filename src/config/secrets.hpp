#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace socialsync::config {

// Reads SOCIALSYNC_SECRETS_SEAL and the keys, from one of SOCIALSYNC_SECRETS_KEY, SOCIALSYNC_SECRETS_KEY_FILE
// or systemd's credential. Appends to `problems`, never with a value.
SecretsAtRest read_secrets_at_rest(const Lookup& lookup, std::vector<Problem>& problems);

}  // namespace socialsync::config
