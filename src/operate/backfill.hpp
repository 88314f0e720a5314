// Filling the new columns of social_accounts from settings, a CSV file, display names or an earlier run.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "migrate/backfill/backfill.hpp"
#include "migrate/backfill/load.hpp"
#include "pg/session.hpp"

namespace socialsync::operate {

// One source, and its options.
struct BackfillForm {
  bool from_env = false;  // the single-tenant settings
  std::string account;    // with from_env: the id or account_id that they belong to; empty: found by key
  std::istream* csv = nullptr;  // a file of values
  bool business_name = false;   // business_name from display_name
  std::string undo;             // the run whose replaced values are restored
  bool overwrite = false;       // replace existing values, and keep them for an undo

  // Throws Failure (wrong_usage) unless exactly one source is set, with options of its own only.
  void check() const;
};

struct BackfillResult {
  std::string run;
  bool can_undo = false;  // values were replaced and kept
  bool is_preview = false;
  std::vector<std::string> columns;  // by wish
  std::vector<migrate::BadLine> bad_lines;
  std::uint64_t bad_line_count = 0;
  std::vector<std::string> notes;
  migrate::BackfillReport report;
};

// Reads the values into temporary tables of the session. Columns, bad lines and notes go to `result`. Throws
// Failure and pg::Error.
migrate::BackfillSource load_backfill(pg::Session& session, const BackfillForm& form,
                                      const config::Config& config, BackfillResult& result);

// Writes the values in short batches, and keeps those that can be restored: values that are replaced, and
// values filled into columns that outlive a rollback. Throws Failure and pg::Error.
void run_backfill(pg::Session& session, const BackfillForm& form, migrate::BackfillSource& source,
                  migrate::BackfillOptions options, BackfillResult& result);

}  // namespace socialsync::operate
