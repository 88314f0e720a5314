// A backup counts only once a copy restored from it holds, table by table, what the database held.
#pragma once

#include <chrono>
#include <filesystem>

#include "migrate/backup/manifest.hpp"
#include "migrate/progress.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

struct BackupOptions {
  std::filesystem::path directory{};  // that is to be made; empty: backups/<database>-<UTC time>
  bool schema_only = false;
  int jobs = 2;  // connections that dump or restore, beside the one that counts
};

struct BackupReport {
  std::filesystem::path directory;
  BackupManifest manifest;
};

// Dumps the database from one snapshot while others go on writing, restores that into a scratch database on
// the same server and compares. SIGINT, SIGTERM and SIGHUP stop it; however it ends, nothing unfinished is
// left. Throws pg::Error when it cannot connect, and Failure: refused (no pg_dump, no right to read a table,
// the directory), lock_budget_spent, no_backup (the dump failed, the copy differs), interrupted.
BackupReport back_up(const pg::ConnectionOptions& options, const BackupOptions& wanted,
                     const ShowProgress& show);

// What counts as a backup beside a whole one that was restored.
struct AcceptedBackups {
  bool only_read = false;
  bool schema_only = false;
};

// Gives the backup in `directory`, or in the newest of this database under ./backups where that is empty, if
// it is of this database, verified, not older than `age_max`, and every file is as it was written. Throws
// Failure (no_backup) that says what is wrong, and pg::Error.
BackupReport require_recent_backup(const pg::ConnectionOptions& options,
                                   const std::filesystem::path& directory, std::chrono::seconds age_max,
                                   const AcceptedBackups& accepted = {});

}  // namespace socialsync::migrate
