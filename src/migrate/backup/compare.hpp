#pragma once

#include <filesystem>
#include <string>

#include "migrate/backup/manifest.hpp"
#include "migrate/progress.hpp"
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

// An empty database for a copy, on the same server and with the same locale as the session's; nobody else may
// connect to it. Gone with this object: if it cannot be dropped, the log names it.
class ScratchDatabase {
 public:
  // Whether the session's role may have one here, and if not, why: "the role … may not create databases".
  // Empty: it may.
  static std::string obstacle(pg::Session& session);

  // Throws Failure (no_backup) when it cannot be made.
  ScratchDatabase(pg::Session& session, const pg::ConnectionOptions& options);
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  const std::string& name() const { return name_; }
  // To connect to it.
  pg::ConnectionOptions options() const { return pg::with_database(options_, name_); }

 private:
  // Of one that is still to be made.
  ScratchDatabase(const pg::ConnectionOptions& options, std::string name);

  pg::ConnectionOptions options_;
  std::string name_;
};

}  // namespace socialsync::migrate
