// Backups, each verified by restoring it and comparing every table.
#pragma once

#include <filesystem>

#include "migrate/backup/manifest.hpp"
#include "migrate/progress.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

struct BackupOptions {
  std::filesystem::path directory{};  // to create; empty: backups/<database>-<UTC time>
  bool schema_only = false;
  int jobs = 2;  // connections that dump or restore; one more counts rows
};

struct BackupReport {
  std::filesystem::path directory;
  BackupManifest manifest;
};

// Dumps the database from one snapshot while others write, restores the dump into a scratch database on the
// same server and compares the two. SIGINT, SIGTERM and SIGHUP interrupt it; an unfinished backup is deleted.
// Throws pg::Error when the database is unreachable, and Failure: refused (no pg_dump, a privilege missing,
// the directory), lock_budget_spent, no_backup (the dump failed, the copy differs), interrupted.
BackupReport back_up(const pg::ConnectionOptions& options, const BackupOptions& wanted,
                     const ShowProgress& show);

}  // namespace socialsync::migrate
