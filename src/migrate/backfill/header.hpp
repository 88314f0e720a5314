#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/backfill/columns.hpp"

namespace socialsync::migrate {

// The first record of a file of accounts: which column is where.
struct BackfillHeader {
  char delimiter = ',';
  std::vector<std::string> names;  // in the file's order, in lower case
  std::vector<const BackfillColumn*> columns;

  bool has(std::string_view name) const;
};

// Throws Failure (wrong_usage) for a name that is not a column's, one that comes twice, and a header that
// names no column or no account. `accounts` false: the lines name no account.
BackfillHeader read_backfill_header(std::string_view record, bool accounts, bool old_columns);

}  // namespace socialsync::migrate
