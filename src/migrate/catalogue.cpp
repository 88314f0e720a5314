#include "migrate/catalogue.hpp"

#include <fmt/format.h>

#include "migrate/outcome.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::migrate {
namespace {

// https://www.postgresql.org/docs/current/runtime-config-client.html. A killed client frees its locks after
// client_connection_check_interval instead of at the end of its statement.
constexpr const char* set_session = R"(
SET client_min_messages = warning;
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET default_transaction_isolation = 'read committed';
SET check_function_bodies = off;
SET client_connection_check_interval = '500ms')";

constexpr const char* select_steps = R"(
SELECT (step).id, (step).title, coalesce((step).lock, ''), (step).tables, (step).alone, (step).present,
       coalesce((step).precheck, ''), coalesce((step).statements, ''), coalesce((step).note, '')
FROM pg_temp.steps() ORDER BY place)";

constexpr int oldest_version = 140000;

}  // namespace

Catalogue::Catalogue(const pg::ConnectionOptions& options, Use use) : session_(options) {
  refuse_what_cannot_work();
  session_.execute(set_session);
  if (use == Use::read) session_.execute("BEGIN");
  session_.execute(std::string(update_definitions()));
}

void Catalogue::refuse_what_cannot_work() {
  if (session_.server_version() < oldest_version)
    throw Failure(Outcome::refused, fmt::format("PostgreSQL 14 or newer is needed, this is {}",
                                                session_.server_version() / 10000));
  const pg::ResultSet now = session_.query(
      "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean, pg_backend_pid(), "
      "has_database_privilege(current_database(), 'TEMP'), quote_ident(current_database()), "
      "quote_ident(current_user)");
  if (now.text(0, 0) == "t")
    throw Failure(Outcome::refused, "this server is a standby (in recovery): name the primary");
  if (now.text(0, 1) == "t")
    throw Failure(Outcome::refused,
                  "transactions are read-only here (default_transaction_read_only is on for this role or database): "
                  "name a role that may write");
  if (now.text(0, 3) != "t")
    throw Failure(Outcome::refused, fmt::format("missing right: GRANT TEMPORARY ON DATABASE {} TO {}",
                                                now.text(0, 4), now.text(0, 5)));
  // A pooler gives out servers of its own, under process ids of its own.
  const bool is_pooled = now.text(0, 2) != std::to_string(session_.backend_pid());
  if (is_pooled)
    throw Failure(Outcome::refused,
                  "a connection pooler is in between, which may change the server process at any moment: name "
                  "PostgreSQL itself (on Supabase: port 5432, not 6543)");
}

std::vector<Step> Catalogue::steps() {
  const pg::ResultSet rows = session_.query(select_steps);
  std::vector<Step> steps;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    steps.push_back({.id = std::string(rows.text(row, 0)),
                     .title = std::string(rows.text(row, 1)),
                     .lock = std::string(rows.text(row, 2)),
                     .tables = std::string(rows.text(row, 3)),
                     .alone = rows.text(row, 4) == "t",
                     .present = rows.text(row, 5) == "t",
                     .precheck = std::string(rows.text(row, 6)),
                     .statements = std::string(rows.text(row, 7)),
                     .note = std::string(rows.text(row, 8))});
  return steps;
}

std::vector<std::string> Catalogue::lines_of(const std::string& function) {
  const pg::ResultSet rows = session_.query("SELECT line FROM pg_temp." + function + "() AS line");
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < rows.rows(); ++row) lines.emplace_back(rows.text(row, 0));
  return lines;
}

std::vector<std::string> Catalogue::missing_rights() { return lines_of("missing_rights"); }
std::vector<std::string> Catalogue::conflicts() { return lines_of("conflicts"); }
std::vector<std::string> Catalogue::warnings() { return lines_of("access_warnings"); }
std::vector<std::string> Catalogue::leaks() { return lines_of("leaks"); }

std::string hash_of(const std::vector<Step>& steps, pg::Session& session) {
  std::string all;
  for (const Step& step : steps) {
    if (!step.present) all += step.id + '\n' + step.statements + '\n';
  }
  const pg::ResultSet hash = session.query("SELECT left(encode(sha256(convert_to($1, 'UTF8')), 'hex'), 16)", {all});
  return std::string(hash.text(0, 0));
}

}  // namespace socialsync::migrate
