// Compares values to backfill with encrypted secrets of accounts.
#pragma once

#include <string>
#include <vector>

#include "crypto/secret_box.hpp"
#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Values encrypted under a key that is not configured.
enum class UnknownKey { keep, replace };

// Call before the walk. Removes from a file's values those that accounts already have, encrypted; and lets an
// undo recognize values that were encrypted after its run wrote them. Returns one note for each column with
// values that `keys` cannot decrypt. Throws pg::Error.
std::vector<std::string> match_encrypted_values(pg::Session& session, const BackfillSource& source,
                                                const crypto::SecretKeys& keys, UnknownKey unknown);

}  // namespace socialsync::migrate
