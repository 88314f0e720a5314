#include "migrate/steps/contract.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/failure.hpp"
#include "migrate/catalogue.hpp"
#include "migrate/session.hpp"
#include "migrate/watch.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* select_leftovers = R"(
SELECT 'constraint.' || conname,
       format('%s: a user can have only one account of a platform', pg_get_constraintdef(oid)),
       format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', conname)
FROM pg_constraint
WHERE conrelid = to_regclass('public.social_accounts') AND contype = 'u'
  AND pg_get_constraintdef(oid) ~ '^UNIQUE \((user_id, platform|platform, user_id)\)'
UNION ALL
SELECT 'table.backfill_preimages', 'values that backfill replaced: without them neither backfill --undo nor rollback can restore these values',
       'DROP TABLE socialsync.backfill_preimages'
WHERE pg_temp.relation('socialsync.backfill_preimages') IS NOT NULL)";

constexpr int attempts_max = 100;
constexpr std::chrono::milliseconds pause{250};
constexpr std::chrono::milliseconds run_lock_wait{1'500};
constexpr const char* locked_tables = "{public.social_accounts}";

std::vector<Leftover> read_leftovers(pg::Session& session) {
  const pg::ResultSet rows = session.query(select_leftovers);
  std::vector<Leftover> found;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    found.push_back({.id = std::string(rows.text(row, 0)),
                     .why = std::string(rows.text(row, 1)),
                     .statement = std::string(rows.text(row, 2))});
  return found;
}

// Returns false when a table is locked.
bool try_to_drop(pg::Session& session, const std::vector<Leftover>& leftovers) {
  try {
    session.execute("BEGIN");
    for (const Leftover& leftover : leftovers)
      session.query("SELECT pg_temp.run_with_short_locks($1, $2)", {locked_tables, leftover.statement});
    session.execute("COMMIT");
    return true;
  } catch (const pg::Error& error) {
    if (session.in_transaction()) session.execute("ROLLBACK");
    if (error.sqlstate() == pg::sqlstate::dependent_objects_still_exist)
      throw Failure(Exit::refused,
                    fmt::format("{}:\n{}\nNothing was changed: drop or change the dependent objects first",
                                error.what(), error.detail()));
    if (!error.is_lock_conflict()) throw;
    return false;
  }
}

void drop(pg::Session& session, const std::vector<Leftover>& leftovers) {
  for (int attempt = 1; !try_to_drop(session, leftovers); ++attempt) {
    if (attempt == attempts_max)
      throw Failure(Exit::lock_budget_spent,
                    fmt::format("social_accounts stayed locked, held by {}: run this again later",
                                lock_holders(session, locked_tables)));
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

std::vector<Leftover> leftovers(const pg::ConnectionOptions& options) {
  Catalogue catalogue(options, Catalogue::Use::read);
  return read_leftovers(catalogue.session());
}

std::vector<Leftover> drop_leftovers(const pg::ConnectionOptions& options,
                                     const std::vector<std::string>& ids) {
  Catalogue catalogue(options, Catalogue::Use::write);
  take_run_lock(catalogue.session(), run_lock_wait);
  const std::vector<Leftover> found = read_leftovers(catalogue.session());
  std::vector<Leftover> chosen;
  for (const std::string& id : ids) {
    const auto it = std::ranges::find(found, id, &Leftover::id);
    if (it == found.end())
      throw Failure(Exit::wrong_usage,
                    fmt::format("no leftover {}: list them with socialsync migrate contract", id));
    chosen.push_back(*it);
  }
  drop(catalogue.session(), chosen);
  return chosen;
}

}  // namespace socialsync::migrate
