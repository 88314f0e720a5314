// Lines of the checklist that the database cannot answer.
#pragma once

#include <string>

#include "migrate/verify/verify.hpp"
#include "pg/session.hpp"

namespace socialsync::cli::migration {

// Whether the backup in that directory is of this database, and was restored and compared: by its
// manifest.json. Skipped when no directory is named.
migrate::Finding check_backup(pg::Session& session, const std::string& directory);

// Whether the gateway at that address (http://127.0.0.1:8000) would commit a webhook. Skipped when none is
// named.
migrate::Finding check_gateway(const std::string& address);

}  // namespace socialsync::cli::migration
