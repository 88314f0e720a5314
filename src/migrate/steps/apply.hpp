// Works through the list of steps on a live database.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "migrate/catalogue.hpp"
#include "migrate/progress.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

// Where a test kills the program: at a step, before its statements, while they run, or after their commit.
struct Fault {
  enum class Moment { none, before, during, after };
  Moment moment = Moment::none;
  std::string step;
};

struct ApplyOptions {
  std::chrono::milliseconds lock_budget{600'000};  // for all attempts at one step
  std::chrono::milliseconds run_lock_wait{
      1'500};  // for another run to end, say a killed one's server process
  std::chrono::milliseconds reconnect_budget{60'000};
  bool quarantine_duplicates = false;    // of accounts with the same key all but one lose it, and are told
  std::vector<std::string> rls_roles{};  // more roles that shall see all accounts
  Fault fault{};
};

struct StepReport {
  std::string id;
  std::string title;
  enum class State { done, later } state = State::done;
  std::uint64_t attempts = 1;
  std::chrono::milliseconds took{0};
  // later: the rows that are in the way. Else which accounts it changed, and who held its lock, where it
  // waited
  std::string note{};
};

struct ApplyReport {
  std::string run;
  std::vector<StepReport> steps;  // those that were not done before
  std::uint64_t present = 0;      // those that were
  std::vector<std::string> warnings;
};

// What is told while it runs.
struct ApplyEvents {
  std::function<void(const StepReport& step, std::size_t number, std::size_t count)> step_ended;
  ShowProgress progress;
};

// Brings the database up to date. Each step is a transaction of its own with its entry in the ledger; a lock
// is waited for 100 ms at a time. Throws Failure: refused (nothing changed), conflict (nothing changed),
// other_run, lock_budget_spent, interrupted, or verify_failed when tenants could see each other's rows in the
// end.
ApplyReport apply(const pg::ConnectionOptions& options, const ApplyOptions& apply_options,
                  const ApplyEvents& events);

}  // namespace socialsync::migrate
