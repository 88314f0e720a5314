#pragma once

#include <memory>
#include <string>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// As open_session; Failure (refused) too when the database is not migrated, or row-level security would hide
// accounts from this role.
std::unique_ptr<pg::Session> open_backfill_session(const pg::ConnectionOptions& options);

// From here on every statement is about few rows of large tables, and must find them by their ids whatever
// the statistics say.
void plan_by_index(pg::Session& session);

// Who holds a lock on social_accounts that keeps us from writing: "pid 4121 (idle in transaction, report)".
std::string lock_holders(pg::Session& session);

// The name of a new run: "20261122T144626Z-5f3a9c".
std::string new_run_name(pg::Session& session);

}  // namespace socialsync::migrate
