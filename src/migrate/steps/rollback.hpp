// The way back: to what the database was before the first update, to the byte.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "migrate/progress.hpp"
#include "migrate/steps/rollback_export.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

struct RollbackOptions {
  enum class Depth {
    full,  // all of it goes, with the data of the new columns and tables
    soft,  // columns, tables and data stay; what others see is as before
  };
  Depth depth = Depth::full;
  bool rebuild_enum = false;  // also the labels that were added to social_platform: rewrites the table
  std::filesystem::path export_folder;  // what would be lost is written here first; empty: it is not
  std::chrono::milliseconds run_lock_wait{1'500};
};

struct RollbackReport {
  std::vector<ExportedTable> exports;
  std::vector<std::string> lines;    // "done   DROP VIEW …", "stays  role anon: …"
  std::vector<std::string> residue;  // what PostgreSQL cannot take away: labels of the enum
};

// One transaction: all or nothing, never CASCADE. Each lock is waited for 100 ms at a time. Throws Failure:
// refused (something of the operator's depends on something of ours; it is named), other_run,
// lock_budget_spent.
RollbackReport roll_back(const pg::ConnectionOptions& options, const RollbackOptions& rollback_options,
                         const ShowProgress& show);

}  // namespace socialsync::migrate
