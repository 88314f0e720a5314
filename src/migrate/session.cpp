#include "migrate/session.hpp"

#include <thread>

#include <fmt/format.h>

#include "base/failure.hpp"

namespace socialsync::migrate {
namespace {

// https://www.postgresql.org/docs/current/runtime-config-client.html. The server frees the locks of a killed
// client after client_connection_check_interval, not at the end of its statement. With row_security off, a
// query whose rows row-level security would hide is an error.
constexpr const char* set_session = R"(
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
SET row_security = off;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET default_transaction_isolation = 'read committed';
SET check_function_bodies = off;
SET client_connection_check_interval = '500ms';
-- Settings that only some versions have.
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout'))";

constexpr const char* try_run_lock =
    "SELECT pg_try_advisory_lock(hashtextextended('socialsync webhooks migration', 0))";

constexpr const char* select_run_lock_holder = R"(
SELECT format('pid %s (app=%s, %s) since %s', a.pid, a.application_name, a.state,
              date_trunc('second', a.backend_start))
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() AND l.objsubid = 1
  AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('socialsync webhooks migration', 0))";

constexpr int oldest_version = 140000;
constexpr std::chrono::milliseconds run_lock_poll_interval{100};

void require_usable_server(pg::Session& session) {
  if (session.server_version() < oldest_version)
    throw Failure(Exit::refused, fmt::format("PostgreSQL 14 or newer is needed; this server is {}",
                                             session.server_version() / 10000));
  const pg::ResultSet now = session.query(
      "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean, pg_backend_pid(), "
      "has_database_privilege(current_database(), 'TEMP'), quote_ident(current_database()), "
      "quote_ident(current_user)");
  if (now.text(0, 0) == "t")
    throw Failure(Exit::refused, "this server is a standby (in recovery): connect to the primary");
  if (now.text(0, 1) == "t")
    throw Failure(Exit::refused,
                  "transactions are read-only (default_transaction_read_only is on for this role or "
                  "database): connect as "
                  "a role that may write");
  if (now.text(0, 3) != "t")
    throw Failure(Exit::refused, fmt::format("privilege missing: GRANT TEMPORARY ON DATABASE {} TO {}",
                                             now.text(0, 4), now.text(0, 5)));
  // A pooler reports its own process id, not that of the server process behind it.
  const bool is_pooled = now.text(0, 2) != std::to_string(session.backend_pid());
  if (is_pooled)
    throw Failure(
        Exit::refused,
        "a connection pooler is in between, which may change the server process at any moment: connect to "
        "PostgreSQL itself (on Supabase: port 5432, not 6543)");
}

}  // namespace

std::unique_ptr<pg::Session> open_session(const pg::ConnectionOptions& options) {
  auto session = std::make_unique<pg::Session>(options);
  require_usable_server(*session);
  session->execute(set_session);
  return session;
}

std::string run_lock_holder(pg::Session& session) {
  const pg::ResultSet holder = session.query(select_run_lock_holder);
  return holder.rows() > 0 ? std::string(holder.text(0, 0)) : "";
}

// Polls: a session that waits in the server for an advisory lock would deadlock with CREATE INDEX
// CONCURRENTLY.
void take_run_lock(pg::Session& session, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const pg::ResultSet taken = session.query(try_run_lock);
    if (taken.text(0, 0) == "t") return;
    if (std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(run_lock_poll_interval);
  }
  const std::string holder = run_lock_holder(session);
  throw Failure(Exit::other_run,
                fmt::format("another run is changing this database ({}): run this again when it has ended",
                            holder.empty() ? "ended just now" : holder));
}

void limit_scan_time(pg::Session& session) {
  session.query(
      "SELECT set_config('statement_timeout', CASE WHEN "
      "pg_relation_size(to_regclass('public.social_accounts')) < 16777216 THEN '0' ELSE '500ms' END, true)");
}

}  // namespace socialsync::migrate
