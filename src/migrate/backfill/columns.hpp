// The columns that a backfill may fill.
#pragma once

#include <span>
#include <string>
#include <string_view>

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

}  // namespace socialsync::migrate
