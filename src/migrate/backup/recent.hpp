// Checks an existing backup.
#pragma once

#include <chrono>
#include <filesystem>

#include "migrate/backup/backup.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

// Backups that are accepted in addition to complete, restored ones.
struct AcceptedBackups {
  bool only_read = false;
  bool schema_only = false;
};

// Returns the backup in `directory`, or the newest of this database under ./backups when that is empty. It
// must be of this database, verified, not older than `age_max`, and its files unchanged: else throws Failure
// (no_backup). Throws pg::Error.
BackupReport require_recent_backup(const pg::ConnectionOptions& options,
                                   const std::filesystem::path& directory, std::chrono::seconds age_max,
                                   const AcceptedBackups& accepted = {});

}  // namespace socialsync::migrate
