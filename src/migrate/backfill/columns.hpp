// The columns that a backfill may fill.
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
  bool is_unique = false;  // one account's alone: webhooks are routed by it
  bool is_new = true;      // the migration added it; a file may name it
};

std::span<const BackfillColumn> backfill_columns();

// Nothing when there is no such column, or the migration did not add it.
const BackfillColumn* find_new_column(std::string_view name);
// Any of them; the name must be one.
const BackfillColumn& backfill_column(std::string_view name);

// SQL: the column's value, of its type, from an expression of type text; NULL when that is NULL or blank.
std::string typed_value(const BackfillColumn& column, const std::string& text);
// SQL, a condition: the account `a` has no value there, or the one that every new row gets.
std::string is_unset(const BackfillColumn& column);

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
