#pragma once

#include <filesystem>
#include <string>

#include "migrate/backup/attend.hpp"
#include "migrate/backup/manifest.hpp"
#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// The database that is copied, and what copies it.
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
  std::string schema{};  // as schema_text() of the original; empty: tables are compared
};

// pg_dump --schema-only as text, without what differs from one dump to the next.
std::string schema_text(const CopySource& source, const std::string& snapshot, const Attention& attention);

// Restores the dump into a scratch database and compares with the manifest's tables or the copy's schema;
// where the role may not make one, only reads it. Notes in the manifest which it was. Throws Failure
// (no_backup) that names what differs.
void verify_copy(const CopySource& source, const DumpCopy& copy, BackupManifest& manifest,
                 const Attention& attention);

}  // namespace socialsync::migrate
