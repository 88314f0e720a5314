// Fills columns of public.social_accounts while the application runs: in short batches in the order of ids,
// only rows that need it, so that a second run changes nothing and one that was stopped goes on where it was.
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
  std::chrono::milliseconds batch_max{100};  // the time a batch should take, and hold its row locks
  std::chrono::milliseconds lag_max{5000};   // of a standby, before we pause
  std::string run;                           // keep what is replaced under this name; empty: nothing is kept
  std::function<bool()> interrupted;         // asked between batches
  ShowProgress show;
};

struct BackfillReport {
  struct Value {
    std::string id;
    std::string column;
    std::string from;  // of a preview; a secret is shown as dots
    std::string to;
  };
  struct Refusal {
    std::string id;
    std::string message;
  };

  std::uint64_t changed = 0;                   // accounts; of a preview: that would change
  std::vector<std::uint64_t> changed_by_wish;  // values
  std::uint64_t same = 0;                      // accounts that had all already
  std::vector<Value> kept;                     // other values, that stay; the first of them
  std::uint64_t kept_count = 0;                // all
  std::vector<std::string> locked;             // accounts that somebody held to the end; the first of them
  std::uint64_t locked_count = 0;              // all
  std::vector<Refusal> refused;                // accounts whose change PostgreSQL refused; the first of them
  std::uint64_t refused_count = 0;             // all
  std::uint64_t came_meanwhile = 0;            // accounts that are new since, and have no value
  std::vector<Value> preview;                  // the first changes
  std::uint64_t batches = 0;                   // transactions that wrote
  std::chrono::milliseconds batch_longest{0};
  std::chrono::milliseconds throttled{0};  // paused for a standby
  bool interrupted = false;
};

// Looks, and changes nothing. Throws pg::Error; Failure (lock_budget_spent).
BackfillReport preview_backfill(pg::Session& session, const BackfillSource& source,
                                const BackfillOptions& options);

// Does it. Throws pg::Error; Failure (lock_budget_spent).
BackfillReport run_backfill(pg::Session& session, const BackfillSource& source,
                            const BackfillOptions& options);

}  // namespace socialsync::migrate
