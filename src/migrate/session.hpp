#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// A session for changing a live database: its search_path is pinned, its locks go at once when we are killed.
// Throws pg::Error; Failure (refused) for a standby, a transaction pooler, a read-only role or too old a
// server.
std::unique_ptr<pg::Session> open_session(const pg::ConnectionOptions& options);

// The session that changes the database now: "pid 4121 (app=socialsync migrate, active) since …". Empty:
// none.
std::string run_lock_holder(pg::Session& session);

// Makes this session the only one that changes the database, until it ends. Waits `limit` for another run,
// say for a killed one's server process; then throws Failure (other_run) that names it.
void take_run_lock(pg::Session& session, std::chrono::milliseconds limit);

}  // namespace socialsync::migrate
