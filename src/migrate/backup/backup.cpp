#include "migrate/backup/backup.hpp"

#include <algorithm>
#include <ctime>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "migrate/backup/compare.hpp"
#include "migrate/backup/directory.hpp"
#include "migrate/client_programs.hpp"
#include "migrate/progress.hpp"
#include "migrate/query.hpp"

namespace socialsync::migrate {
namespace {

std::string option(const pg::ConnectionOptions& options, std::string_view keyword) {
  std::string value;
  for (const auto& [name, given] : pg::expanded(options))
    if (name == keyword) value = given;
  return value;
}

std::filesystem::path default_directory(const std::string& database, std::time_t now) {
  std::string name = database;
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  for (char& character : name)
    if (plain.find(character) == plain.npos) character = '_';
  return std::filesystem::path("backups") / fmt::format("{}-{:%Y%m%dT%H%M%SZ}", name, fmt::gmtime(now));
}

BackupManifest describe(pg::Session& session, const pg::ConnectionOptions& options, bool schema_only) {
  const std::string host = option(options, "host");
  return {.database = identify(session),
          .host = host.empty() ? option(options, "hostaddr") : host,
          .port = first_value(session.query("SHOW port")),
          .server_version = first_value(session.query("SHOW server_version")),
          .started_at = std::time(nullptr),
          .schema_only = schema_only};
}

// A dump contains only the rows that this role may read.
void require_all_rows(pg::Session& session, const std::vector<StoredTable>& tables, bool schema_only) {
  std::string unreadable;
  std::string hidden;
  for (const StoredTable& table : tables) {
    if (!table.is_readable) unreadable += " " + table.name;
    if (table.has_hidden_rows && !schema_only) hidden += " " + table.name;
  }
  const std::string role = first_value(session.query("SELECT quote_ident(current_user)"));
  if (!unreadable.empty())
    throw Failure(Exit::refused, fmt::format("privilege missing: the role {} may not read{}; back up as "
                                             "their owner or a superuser, or GRANT SELECT "
                                             "on them",
                                             role, unreadable));
  if (!hidden.empty())
    throw Failure(Exit::refused,
                  fmt::format("row-level security hides rows from the role {} in{}: back up as a "
                              "superuser or a role with BYPASSRLS",
                              role, hidden));
}

// A transaction whose rows other sessions can import, while others write. Its locks prevent TRUNCATE and
// rewrites of tables.
class Snapshot {
 public:
  explicit Snapshot(pg::Session& session) : session_(session) {
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    id_ = first_value(session.query("SELECT pg_export_snapshot()"));
    tables_ = list_tables(session);
  }

  const std::string& id() const { return id_; }
  const std::vector<StoredTable>& tables() const { return tables_; }

  void lock_tables() {
    std::string names;
    for (const StoredTable& table : tables_) names += (names.empty() ? "ONLY " : ", ONLY ") + table.name;
    if (!names.empty()) session_.execute(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", names));
  }
  void end() { session_.execute("COMMIT"); }

 private:
  pg::Session& session_;
  std::string id_;
  std::vector<StoredTable> tables_;
};

// Throws Failure (lock_budget_spent) when a table stays locked.
Snapshot take_snapshot(pg::Session& session, bool schema_only) {
  try {
    Snapshot snapshot(session);
    require_all_rows(session, snapshot.tables(), schema_only);
    snapshot.lock_tables();
    return snapshot;
  } catch (const pg::Error& error) {
    if (!error.is_lock_conflict()) throw;
    throw Failure(Exit::lock_budget_spent,
                  "a table stayed locked (see pg_locks and pg_stat_activity for the holder); nothing was "
                  "written: run this again");
  }
}

std::uint64_t bytes_of(const std::vector<StoredTable>& tables) {
  std::uint64_t sum = 0;
  for (const StoredTable& table : tables) sum += table.bytes;
  return sum;
}

std::vector<std::string> dump_arguments(const std::string& program, const BackupOptions& wanted,
                                        const std::string& snapshot, const std::filesystem::path& target) {
  std::vector<std::string> arguments{program,
                                     "--format=directory",
                                     "--no-password",
                                     "--lock-wait-timeout=5s",
                                     fmt::format("--jobs={}", wanted.jobs),
                                     "--snapshot=" + snapshot,
                                     "--file=" + target.string()};
  if (wanted.schema_only) arguments.emplace_back("--schema-only");
  return arguments;
}

// Dumps the snapshot's rows and hashes them at the same time.
void dump(const CopySource& source, const BackupOptions& wanted, const Snapshot& snapshot,
          const BackupDirectory& directory, BackupManifest& manifest, const Attention& attention) {
  const std::vector<StoredTable> tables = wanted.schema_only ? std::vector<StoredTable>() : snapshot.tables();
  const std::uint64_t bytes = bytes_of(tables);
  DigestRun digests(source.session, tables);
  ClientRun run(dump_arguments(source.programs.pg_dump, wanted, snapshot.id(), directory.dump()),
                source.options);
  run.finish(attention, [&] {
    return Progress{.what = "dump",
                    .done = directory.bytes(),
                    .total = bytes,
                    .unit = "bytes",
                    .note = fmt::format("{}/{} tables counted", digests.done(), tables.size())};
  });
  manifest.tables = digests.finish(attention, "count");
}

void describe_files(const BackupDirectory& directory, BackupManifest& manifest, const Attention& attention) {
  Progress progress{.what = "checksums", .total = directory.bytes(), .unit = "bytes"};
  for (const std::string& name : directory.file_names()) {
    manifest.files.push_back(describe_file(directory.path(), name, [&](std::uint64_t bytes) {
      attention.check();
      progress.done += bytes;
      attention.show(progress);
    }));
  }
}

void fill(const CopySource& source, const BackupOptions& wanted, const BackupDirectory& directory,
          BackupManifest& manifest, const Attention& attention) {
  Snapshot snapshot = take_snapshot(source.session, wanted.schema_only);
  const std::string schema = wanted.schema_only ? schema_text(source, snapshot.id(), attention) : "";
  dump(source, wanted, snapshot, directory, manifest, attention);
  // An open snapshot delays VACUUM and concurrent index builds.
  snapshot.end();
  verify_copy(source, {.dump = directory.dump(), .jobs = wanted.jobs, .schema = schema}, manifest, attention);
  describe_files(directory, manifest, attention);
}

}  // namespace

BackupReport back_up(const pg::ConnectionOptions& options, const BackupOptions& wanted,
                     const ShowProgress& show) {
  pg::Session session(options);
  pin_settings(session);
  const process::Interruption interruption;
  BackupManifest manifest = describe(session, options, wanted.schema_only);
  const CopySource source{
      .session = session,
      .options = pg::with_database(options, manifest.database.name),
      .programs = {.pg_dump = find_client_program("pg_dump", session.server_version()),
                   .pg_restore = find_client_program("pg_restore", session.server_version())}};
  manifest.pg_dump_version = version_of_program(source.programs.pg_dump);
  BackupDirectory directory(wanted.directory.empty()
                                ? default_directory(manifest.database.name, manifest.started_at)
                                : wanted.directory);
  fill(source, wanted, directory, manifest, {.interruption = interruption, .show = show});
  manifest.finished_at = std::time(nullptr);
  return {.directory = directory.finish(to_json(manifest)), .manifest = manifest};
}

}  // namespace socialsync::migrate
