// Values that a backfill replaced, kept so that it can be undone. They are as secret as the accounts'.
#pragma once

#include <string>

#include "migrate/backfill_source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Makes socialsync.backfill_preimages, closed to everybody but the owner of social_accounts, unless it is
// there.
void make_preimages(pg::Session& session);

// The source that puts back what this run replaced, where it is still what the run wrote. Throws Failure
// (wrong_usage) when there is no such run.
BackfillSource load_preimages(pg::Session& session, const std::string& run);

// Forgets a run that is undone.
void drop_preimages(pg::Session& session, const std::string& run);

}  // namespace socialsync::migrate
