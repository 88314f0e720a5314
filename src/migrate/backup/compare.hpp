// Verifies a dump against its database.
#pragma once

#include <filesystem>
#include <string>

#include "migrate/backup/manifest.hpp"
#include "migrate/progress.hpp"
#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// The dumped database, and the programs to use.
struct CopySource {
  pg::Session& session;
  pg::ConnectionOptions options;
  struct Programs {
    std::string pg_dump;
    std::string pg_restore;
  } programs;
};

struct DumpCopy {
  std::filesystem::path dump;
  int jobs = 1;
  std::string schema{};  // schema_text() of the original; empty: compare tables
};

// Returns the output of pg_dump --schema-only without the parts that differ between equal dumps.
std::string schema_text(const CopySource& source, const std::string& snapshot, const Attention& attention);

// Restores the dump into a scratch database and compares its tables with the manifest, or its schema with
// `copy.schema`. Only reads the dump when the role may not create databases. Sets `verified` and
// `verified_note` of the manifest. Throws Failure (no_backup) that names the differences.
void verify_copy(const CopySource& source, const DumpCopy& copy, BackupManifest& manifest,
                 const Attention& attention);

}  // namespace socialsync::migrate
