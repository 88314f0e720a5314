#include "migrate/backup/compare.hpp"

#include <chrono>
#include <sstream>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "migrate/client_programs.hpp"
#include "migrate/query.hpp"

namespace socialsync::migrate {
namespace {

bool is_superuser(pg::Session& session) {
  return is_true(session.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"));
}

// Leaves out of the copy what would disturb the original (a subscription competes for its replication slot),
// and the owners that only a superuser can assign.
std::vector<std::string> copy_restrictions(pg::Session& session) {
  std::vector<std::string> arguments{"--no-password", "--no-subscriptions", "--no-publications"};
  if (!is_superuser(session)) arguments.insert(arguments.end(), {"--no-owner", "--no-privileges"});
  return arguments;
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Removes the random key that text dumps contain since 15.14.
std::string without_key(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ")) continue;
    kept.append(line).append("\n");
  }
  return kept;
}

// Returns the first line that differs; empty when the texts are equal.
std::string first_difference(const std::string& original, const std::string& copy) {
  std::istringstream originals(original);
  std::istringstream copies(copy);
  std::string wanted;
  std::string found;
  while (true) {
    const bool has_wanted = static_cast<bool>(std::getline(originals, wanted));
    const bool has_found = static_cast<bool>(std::getline(copies, found));
    if (!has_wanted && !has_found) return "";
    if (has_wanted && has_found && wanted == found) continue;
    return fmt::format("original: {}\ncopy:     {}", has_wanted ? wanted : "(ends)",
                       has_found ? found : "(ends)");
  }
}

constexpr const char* obstacle_sql = R"(
  SELECT CASE WHEN pg_is_in_recovery() THEN 'the server is a standby'
              WHEN NOT rolsuper AND NOT rolcreatedb THEN format('the role %I may not create databases', rolname)
         END
  FROM pg_roles WHERE rolname = current_user)";

// pg_database differs by version: 14 has no locale provider, 15 and 16 have daticulocale, 17 has datlocale.
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

void drop(const pg::ConnectionOptions& options, const std::string& name) {
  pg::Session session(options);
  session.execute("SET lock_timeout = '10s'");
  session.execute(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
}

// An empty database on the session's server with its locale, for a restored copy; other roles may not connect
// to it. The destructor drops it, and logs its name when that fails.
class ScratchDatabase {
 public:
  // Returns the reason why the session's role may not create databases: "the role … may not create
  // databases". Empty: it may.
  static std::string obstacle(pg::Session& session);

  // Throws Failure (no_backup) when the database cannot be created.
  ScratchDatabase(pg::Session& session, const pg::ConnectionOptions& options);
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  const std::string& name() const { return name_; }
  pg::ConnectionOptions options() const { return pg::with_database(options_, name_); }

 private:
  ScratchDatabase(const pg::ConnectionOptions& options, std::string name);

  pg::ConnectionOptions options_;
  std::string name_;
};

std::string ScratchDatabase::obstacle(pg::Session& session) {
  return first_value(session.query(obstacle_sql));
}

ScratchDatabase::ScratchDatabase(const pg::ConnectionOptions& options, std::string name)
    : options_(options), name_(std::move(name)) {}

// Delegates, so that the destructor runs even when the body throws.
ScratchDatabase::ScratchDatabase(pg::Session& session, const pg::ConnectionOptions& options)
    : ScratchDatabase(options, first_value(session.query(name_sql))) {
  try {
    session.execute(first_value(session.query(create_sql, {name_})));
    session.execute(fmt::format("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", name_));
  } catch (const pg::Error& error) {
    throw Failure(Exit::no_backup, fmt::format("cannot create a database to restore into: {}", error.what()));
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

// The size of the copy, queried once a second.
class Growth {
 public:
  Growth(pg::Session& session, const std::string& copy)
      : session_(session), copy_(copy), total_(ask("SELECT pg_database_size(current_database())")) {}

  Progress progress() {
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_at_ > std::chrono::seconds(1)) {
      done_ = ask(fmt::format("SELECT pg_database_size('{}')", copy_));
      asked_at_ = now;
    }
    return {.what = "restore, to verify", .done = done_, .total = total_, .unit = "bytes"};
  }

 private:
  std::uint64_t ask(const std::string& sql) { return first_number(session_.query(sql)); }

  pg::Session& session_;
  std::string copy_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point asked_at_;
};

void restore(const CopySource& source, const DumpCopy& copy, const ScratchDatabase& scratch,
             const Attention& attention) {
  Growth growth(source.session, scratch.name());
  ClientRun run(with({source.programs.pg_restore, "--exit-on-error", fmt::format("--jobs={}", copy.jobs),
                      fmt::format("--dbname={}", ClientRun::database), copy.dump.string()},
                     copy_restrictions(source.session)),
                scratch.options());
  run.finish(attention, [&] { return growth.progress(); });
}

std::vector<TableDigest> digests_of(const ScratchDatabase& scratch, const Attention& attention) {
  pg::Session session(scratch.options());
  pin_settings(session);
  const std::vector<StoredTable> tables = list_tables(session);
  return DigestRun(session, tables).finish(attention, "compare");
}

void require_same(const std::string& difference) {
  if (difference.empty()) return;
  throw Failure(Exit::no_backup,
                "the restored copy differs from the database, so the backup is discarded:\n" + difference);
}

void restore_and_compare(const CopySource& source, const DumpCopy& copy, const BackupManifest& manifest,
                         const Attention& attention) {
  const ScratchDatabase scratch(source.session, source.options);
  restore(source, copy, scratch, attention);
  if (manifest.schema_only) {
    const CopySource restored{source.session, scratch.options(), source.programs};
    require_same(first_difference(copy.schema, schema_text(restored, "", attention)));
  } else {
    require_same(difference(manifest.tables, digests_of(scratch, attention)));
  }
}

// pg_restore -l does not detect a truncated dump.
void only_read(const CopySource& source, const DumpCopy& copy, const Attention& attention) {
  ClientRun run({source.programs.pg_restore, "--file=/dev/null", copy.dump.string()}, source.options);
  run.finish(attention, [] { return Progress{.what = "read, to verify", .unit = ""}; });
}

}  // namespace

std::string schema_text(const CopySource& source, const std::string& snapshot, const Attention& attention) {
  const TemporaryFile text;
  std::vector<std::string> arguments{source.programs.pg_dump, "--schema-only", "--lock-wait-timeout=5s",
                                     "--file=" + text.path()};
  if (!snapshot.empty()) arguments.push_back("--snapshot=" + snapshot);
  ClientRun run(with(arguments, copy_restrictions(source.session)), source.options);
  run.finish(attention, [] { return Progress{.what = "schema", .unit = ""}; });
  return without_key(text.text());
}

void verify_copy(const CopySource& source, const DumpCopy& copy, BackupManifest& manifest,
                 const Attention& attention) {
  manifest.verified_note = ScratchDatabase::obstacle(source.session);
  const bool may_restore = manifest.verified_note.empty();
  may_restore ? restore_and_compare(source, copy, manifest, attention) : only_read(source, copy, attention);
  manifest.verified = may_restore ? Verified::restored : Verified::read;
}

}  // namespace socialsync::migrate
