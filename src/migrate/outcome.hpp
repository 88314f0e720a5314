// How a migration command ends. The numbers are the program's exit codes, and a contract with scripts.
#pragma once

#include <stdexcept>
#include <string>

namespace socialsync::migrate {

enum class Outcome {
  done = 0,  // or nothing to do
  internal_error = 1,
  wrong_usage = 2,
  refused = 3,            // preflight: nothing was changed
  lock_budget_spent = 4,  // somebody holds a lock; safe to run again
  conflict = 5,           // something of the same name has another definition
  verify_failed = 6,
  other_run = 7,      // another run is active
  no_backup = 8,      // missing, too old or unverified
  data_blocks = 9,    // rows stand in the way of a step; all others are done
  pending = 10,       // plan --exit-code: there is something to do
  interrupted = 130,  // safe to run again
};

// Why a command could not go on. what() is for the operator: it says what to do, and holds no secret.
class Failure : public std::runtime_error {
 public:
  Failure(Outcome outcome, const std::string& message) : std::runtime_error(message), outcome_(outcome) {}
  Outcome outcome() const { return outcome_; }

 private:
  Outcome outcome_;
};

}  // namespace socialsync::migrate
