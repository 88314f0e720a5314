#include "migrate/backup/scratch_database.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/log.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* obstacle_sql = R"(
  SELECT CASE WHEN pg_is_in_recovery() THEN 'the server is a standby'
              WHEN NOT rolsuper AND NOT rolcreatedb THEN format('the role %I may not create databases', rolname)
         END
  FROM pg_roles WHERE rolname = current_user)";

// The columns of the locale are others in each version: 14 has no provider, 15 and 16 an ICU locale, 17 just
// one.
constexpr const char* create_sql = R"(
  SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
                $1::text, pg_encoding_to_char(encoding), datcollate, datctype)
         || CASE settings ->> 'datlocprovider'
              WHEN 'c' THEN ' LOCALE_PROVIDER libc'
              WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', settings ->> 'datlocale')
              WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
                                   coalesce(settings ->> 'datlocale', settings ->> 'daticulocale'))
                            || coalesce(format(' ICU_RULES %L', settings ->> 'daticurules'), '')
              ELSE '' END
  FROM pg_database AS d, to_jsonb(d) AS settings WHERE datname = current_database())";

constexpr const char* name_sql =
    "SELECT 'socialsync_verify_' || left(replace(gen_random_uuid()::text, '-', ''), 12)";

std::string first_value(const pg::ResultSet& found) { return std::string(found.text(0, 0)); }

void drop(const pg::ConnectionOptions& options, const std::string& name) {
  pg::Session session(options);
  session.execute("SET lock_timeout = '10s'");
  session.execute(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
}

}  // namespace

std::string ScratchDatabase::obstacle(pg::Session& session) {
  return first_value(session.query(obstacle_sql));
}

ScratchDatabase::ScratchDatabase(const pg::ConnectionOptions& options, std::string name)
    : options_(options), name_(std::move(name)) {}

// Delegating: from here on the destructor runs, whatever fails.
ScratchDatabase::ScratchDatabase(pg::Session& session, const pg::ConnectionOptions& options)
    : ScratchDatabase(options, first_value(session.query(name_sql))) {
  try {
    session.execute(first_value(session.query(create_sql, {name_})));
    session.execute(fmt::format("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", name_));
  } catch (const pg::Error& error) {
    throw Failure(Exit::no_backup, fmt::format("cannot make a database to restore into: {}", error.what()));
  }
}

ScratchDatabase::~ScratchDatabase() {
  try {
    drop(options_, name_);
  } catch (const std::exception& error) {
    log::error("scratch database not dropped: drop it by hand",
               {{"database", name_}, {"message", error.what()}});
  }
}

}  // namespace socialsync::migrate
