// Applies the migration's steps to a live database.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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
  std::chrono::milliseconds run_lock_wait{1'500};  // for another run to end
  std::chrono::milliseconds reconnect_budget{60'000};
  // All but one of the accounts with the same key lose it, and are reported.
  bool quarantine_duplicates = false;
  std::vector<std::string> rls_roles{};  // additional roles that see all accounts
  Fault fault{};
};

struct StepReport {
  std::string id;
  std::string title;
  enum class State { done, later } state = State::done;
  std::uint64_t attempts = 1;
  std::chrono::milliseconds took{0};
  // later: the blocking rows; done: the changed accounts, or the holder of a lock it waited for.
  std::string note{};
};

struct ApplyReport {
  std::string run;
  std::vector<StepReport> steps;  // worked on by this run
  std::uint64_t present = 0;      // done before
  std::vector<std::string> warnings;
};

struct ApplyEvents {
  std::function<void(const StepReport& step, std::size_t number, std::size_t count)> step_ended;
  ShowProgress progress;
};

// Runs all steps that are not done. Each step and its ledger entry are one transaction; each attempt at a
// lock takes at most 100 ms. Throws Failure: refused or conflict (nothing was changed), other_run,
// lock_budget_spent, interrupted, or verify_failed when a tenant could see another's rows after the last
// step.
ApplyReport apply(const pg::ConnectionOptions& options, const ApplyOptions& apply_options,
                  const ApplyEvents& events);

}  // namespace socialsync::migrate
