// Fills columns of public.social_accounts while the application runs: short batches in the order of ids, only
// rows that need a change. Running it again continues an interrupted run, and changes nothing after a
// complete one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "migrate/backfill/source.hpp"
#include "migrate/progress.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

struct BackfillOptions {
  std::chrono::milliseconds batch_max{100};  // the target duration of a batch, which holds row locks
  std::chrono::milliseconds lag_max{5000};   // of a standby; above it the backfill pauses
  std::string run;                           // stores replaced values under this name; empty: stores none
  std::function<bool()> interrupted;         // called between batches
  ShowProgress show;
};

struct BackfillReport {
  struct Value {
    std::string id;
    std::string column;
    std::string from;  // preview only; a secret is shown as dots
    std::string to;
  };
  struct Refusal {
    std::string id;
    std::string message;
  };

  // Lists name the first `listed_max` accounts; their counts are complete.
  std::uint64_t changed = 0;                     // accounts; of a preview: that would change
  std::vector<std::uint64_t> changed_by_column;  // values, in the order of the assignments
  std::uint64_t same = 0;                        // accounts that had all values before
  std::vector<Value> kept;                       // existing values that differ and were not overwritten
  std::uint64_t kept_count = 0;
  std::vector<std::string> locked;  // accounts that other transactions held locked in every pass
  std::uint64_t locked_count = 0;
  std::vector<Refusal> refused;  // accounts whose change PostgreSQL refused
  std::uint64_t refused_count = 0;
  std::uint64_t added_during_run = 0;  // accounts without a value that were added after the run began
  std::vector<Value> preview;          // the first changes
  std::uint64_t batches = 0;           // transactions that wrote
  std::chrono::milliseconds batch_longest{0};
  std::chrono::milliseconds throttled{0};  // paused for a standby
  bool interrupted = false;
};

// Reports the changes that run_backfill() would make. Throws pg::Error; Failure (lock_budget_spent,
// interrupted).
BackfillReport preview_backfill(pg::Session& session, const BackfillSource& source,
                                const BackfillOptions& options);

// Throws as preview_backfill() does.
BackfillReport run_backfill(pg::Session& session, const BackfillSource& source,
                            const BackfillOptions& options);

}  // namespace socialsync::migrate
