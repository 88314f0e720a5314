// Sessions that change a live database, one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Opens a session with a pinned search_path; the server frees its locks soon after our process dies. Throws
// pg::Error; Failure (refused) for a standby, a transaction pooler, a read-only role or PostgreSQL before 14.
std::unique_ptr<pg::Session> open_session(const pg::ConnectionOptions& options);

// Returns the session that holds the run lock: "pid 4121 (app=socialsync migrate, active) since …"; empty:
// none.
std::string run_lock_holder(pg::Session& session);

// Takes the run lock until the session ends: only its holder changes the database. Waits `limit` for another
// holder, for example the server process of a killed run. Throws Failure (other_run) that names the holder.
void take_run_lock(pg::Session& session, std::chrono::milliseconds limit);

// Limits the statements of the transaction to half a second, but not for a social_accounts under 16 MiB: a
// busy machine may need longer even for that.
void limit_scan_time(pg::Session& session);

}  // namespace socialsync::migrate
