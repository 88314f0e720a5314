// The columns that a backfill fills, and the header of a file that names them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::migrate {

struct BackfillColumn {
  enum class Kind { text, status, events, json };

  std::string_view name;
  Kind kind = Kind::text;
  bool is_secret = false;  // its value is never shown
  bool is_unique = false;  // a routing key: at most one account has a value
  bool is_new = true;      // added by the migration; a file may name it
};

std::span<const BackfillColumn> backfill_columns();

// Returns null for a name that is not a column added by the migration.
const BackfillColumn* find_new_column(std::string_view name);
// `name` must be one of backfill_columns().
const BackfillColumn& backfill_column(std::string_view name);

// SQL: converts a text expression to the column's type; NULL for a NULL or blank text.
std::string typed_value(const BackfillColumn& column, const std::string& text);
// SQL condition: account `a` has no value in the column, or the column's default.
std::string is_unset(const BackfillColumn& column);

// The first record of a file of accounts.
struct BackfillHeader {
  char delimiter = ',';
  std::vector<std::string> names;  // in the file's order, in lower case
  std::vector<const BackfillColumn*> columns;

  bool has(std::string_view name) const;
};

enum class Columns {
  of_the_migration,
  all,  // access_token too
};

// Throws Failure (wrong_usage) for an unknown or repeated name, and for a header without a column or an
// account.
BackfillHeader read_backfill_header(std::string_view record, Columns allowed);

}  // namespace socialsync::migrate
