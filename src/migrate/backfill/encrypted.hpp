#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/secret_box.hpp"
#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

enum class SealedUnknown {
  stay,         // a value that we cannot read is not written over
  are_replaced  // it is
};

// Before a file's values (or an undo's) are compared with those of accounts whose secrets are sealed: a
// wanted value that is there already, only sealed, is wanted no more; and what an undone run wrote is known
// again though it was sealed since. Gives a line for each column that has values which these keys do not
// open. Throws pg::Error.
std::vector<std::string> settle_sealed_values(pg::Session& session, const BackfillSource& source,
                                              const crypto::SecretKeys& keys, SealedUnknown unknown);

}  // namespace socialsync::migrate
