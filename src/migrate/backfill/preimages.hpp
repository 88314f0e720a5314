// Values that a backfill replaced, stored for its undo. They are as secret as the accounts' own.
#pragma once

#include <string>

#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Sets `stays` of each assignment: a rollback keeps its column. Returns true when any column stays. Needs the
// privilege to read socialsync.preimages.
bool mark_columns_that_stay(pg::Session& session, BackfillSource& source);

// Creates socialsync.backfill_preimages if it does not exist; only the owner of social_accounts may use it.
void make_preimages(pg::Session& session);

// Returns a source that restores the values replaced by `run`, where the value written by the run is
// unchanged. Throws Failure (wrong_usage) for an unknown run.
BackfillSource load_preimages(pg::Session& session, const std::string& run);

// Returns true when `run` replaced a value.
bool has_preimages(pg::Session& session, const std::string& run);

// Deletes the replaced values of an undone run. Keeps its records of empty values: rollback needs them.
void drop_preimages(pg::Session& session, const std::string& run);

}  // namespace socialsync::migrate
