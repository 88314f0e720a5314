#pragma once

#include <memory>
#include <string>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Opens a session as open_session() does. Throws Failure (refused) also when the database is not migrated, or
// row-level security would hide accounts from this role.
std::unique_ptr<pg::Session> open_backfill_session(const pg::ConnectionOptions& options);

// Makes the planner use indexes in all later statements of the session, whatever the statistics say: each
// visits few rows of large tables.
void plan_by_index(pg::Session& session);

// Returns the holders of locks on social_accounts that block writers: "pid 4121 (idle in transaction,
// report)".
std::string lock_holders(pg::Session& session);

// Returns the name of a new run: "20261122T144626Z-5f3a9c".
std::string new_run_name(pg::Session& session);

}  // namespace socialsync::migrate
