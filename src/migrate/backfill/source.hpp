// The values that a backfill writes, and to which accounts, as SQL. Files and undo share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/backfill/columns.hpp"

namespace socialsync::migrate {

struct BackfillAssignment {
  const BackfillColumn* column = nullptr;
  std::string value;      // an expression over `a` and the joined tables; NULL: no change
  std::string may_write;  // a condition: the current value may be overwritten
  bool stays = false;     // a rollback keeps the column: store its value before the change, even an empty one
};

struct BackfillSource {
  std::string keys = "public.social_accounts";  // a relation with an `id` for each account to visit
  std::string joined;                           // joins of public.social_accounts AS a
  std::vector<BackfillAssignment> assignments;
  std::uint64_t total = 0;  // estimated number of keys; 0: unknown
};

// The statements of one batch.
class BackfillSql {
 public:
  explicit BackfillSql(const BackfillSource& source);

  // Visits at most $3 keys with $1 < id <= $2, without accounts created after $4 unless that is NULL. Returns
  // the last key, the number of keys, of accounts that have all values, of accounts to change, of kept
  // values, the ids of accounts to change, of accounts with kept values, then the number of values to write
  // by assignment.
  std::string survey(const std::string& keys) const;
  // Counts the accounts that still need a change.
  std::string left() const;
  // Returns (id, column) of values that the accounts $1 (an array) keep, at most $2.
  std::string kept() const;
  // Returns (id, column, from, to) of changes to the accounts $1, at most $2; secrets as dots.
  std::string preview() const;
  // Changes the accounts $1 that no other transaction has locked. Returns the number of changed and of
  // skipped accounts, then values by assignment. Inserts the ids of skipped accounts into the table
  // `skipped`, and replaced values into socialsync.backfill_preimages unless `run` is empty.
  std::string write(const std::string& skipped, const std::string& run) const;
  // Returns the id of the account whose value account $1 would get in this column.
  std::string rival(const BackfillAssignment& assignment) const;

 private:
  std::string accounts() const;
  std::string saved_values(const std::string& run) const;

  const BackfillSource& source_;
  std::string any_write_;
};

}  // namespace socialsync::migrate
