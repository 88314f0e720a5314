// What is to be written into which accounts, as SQL: the same walk serves a file, constants and an undo.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/backfill/columns.hpp"

namespace socialsync::migrate {

struct BackfillWish {
  const BackfillColumn* column = nullptr;
  std::string value;      // an expression over `a` and what is joined; NULL: nothing to write
  std::string may_write;  // a condition: what is there may give way to it
  bool stays = false;     // the column outlives a rollback: what it had is kept, be it nothing
};

struct BackfillSource {
  std::string keys = "public.social_accounts";  // a relation whose `id`s are the accounts to look at
  std::string joined;                           // to public.social_accounts AS a
  std::string filter = "true";                  // a condition on `a`
  std::vector<BackfillWish> wishes;
  std::uint64_t total = 0;  // keys, about; 0: not known
};

// The statements of one batch.
class BackfillSql {
 public:
  explicit BackfillSql(const BackfillSource& source);

  // Looks at $3 keys at most, with $1 < id <= $2, passing over accounts made since $4 where that is not NULL:
  // the last of them, how many, accounts that have all already, accounts to change, values kept, the ids of
  // accounts to change, those of accounts that keep a value, then values to write by wish.
  std::string survey(const std::string& keys) const;
  // Counts the accounts that lack something.
  std::string left() const;
  // id, column: values that the accounts $1 (an array) keep, $2 at most.
  std::string kept() const;
  // id, column, from, to: what would be written to the accounts $1, $2 at most; secrets as dots.
  std::string preview() const;
  // Changes those of the accounts $1 that nobody has locked: accounts changed, accounts passed over, then
  // values by wish. The ids of those passed over go to the table `passed_over`; replaced values, where `run`
  // is not empty, to the pre-images of that run.
  std::string write(const std::string& passed_over, const std::string& run) const;
  // id of the account that has the value which account $1 should get for this column.
  std::string rival(const BackfillWish& wish) const;

 private:
  std::string accounts() const;
  std::string saved_values(const std::string& run) const;

  const BackfillSource& source_;
  std::string any_write_;
};

}  // namespace socialsync::migrate
