// Restores the schema that was there before the first update.
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
    full,  // removes everything, with the data of the new columns and tables
    soft,  // keeps columns, tables and data; restores what other programs see
  };
  Depth depth = Depth::full;
  bool rebuild_enum = false;  // also removes the labels added to social_platform: rewrites the table
  std::filesystem::path export_folder;  // receives the data that a full rollback removes; empty: no export
  std::chrono::milliseconds run_lock_wait{1'500};
};

struct RollbackReport {
  std::vector<ExportedTable> exports;
  std::vector<std::string> lines;    // "done   DROP VIEW …", "stays  role anon: …"
  std::vector<std::string> residue;  // labels of the enum, which PostgreSQL cannot drop
};

// Rolls back in one transaction, never with CASCADE; each attempt at a lock takes at most 100 ms. Throws
// Failure: refused (names the operator's object that depends on one of ours), other_run, lock_budget_spent.
RollbackReport roll_back(const pg::ConnectionOptions& options, const RollbackOptions& rollback_options,
                         const ShowProgress& show);

}  // namespace socialsync::migrate
