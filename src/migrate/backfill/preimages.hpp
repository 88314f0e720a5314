// Values that a backfill replaced, kept so that it can be undone. They are as secret as the accounts'.
#pragma once

#include <string>

#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Says of each wish whether a rollback leaves its column there; gives whether it does of any. Wants a role
// that may read socialsync.preimages.
bool mark_columns_that_stay(pg::Session& session, BackfillSource& source);

// Makes socialsync.backfill_preimages, closed to everybody but the owner of social_accounts, unless it is
// there.
void make_preimages(pg::Session& session);

// The source that puts back what this run replaced, where it is still what the run wrote. Throws Failure
// (wrong_usage) when there is no such run.
BackfillSource load_preimages(pg::Session& session, const std::string& run);

// Whether this run replaced a value.
bool has_preimages(pg::Session& session, const std::string& run);

// Forgets a run that is undone, save what it filled where there was nothing: that is the rollback's.
void drop_preimages(pg::Session& session, const std::string& run);

}  // namespace socialsync::migrate
