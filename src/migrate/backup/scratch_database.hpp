#pragma once

#include <string>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

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
