// The program's exit codes, and the exception that carries one.
#pragma once

#include <stdexcept>
#include <string>

namespace socialsync {

// The numbers are a contract with scripts. A number with two names means one or the other by command; each
// command's --help says which.
enum class Exit {
  done = 0,               // or nothing to do
  internal_error = 1,     // a bug, or a PostgreSQL error that is no one of the others
  wrong_usage = 2,        // an argument or a setting is wrong
  refused = 3,            // database unreachable or not migrated, privilege missing; nothing was changed
  lock_budget_spent = 4,  // a row or table stayed locked; safe to run again
  not_accepted = 4,       // send: a webhook was not answered with 200
  conflict = 5,           // an object of that name exists with another definition
  left_over = 5,          // secrets: some values could not be read or changed; all others are done
  verify_failed = 6,      // a check failed
  not_answered = 6,       // endpoints: the receiver did not answer as expected
  other_run = 7,          // another migration or rollback is running
  no_backup = 8,          // the backup is missing, too old or unverified
  data_blocks = 9,        // rows block a step; all other steps are done
  not_found = 9,          // no such account, endpoint, event or row
  pending = 10,           // migrate plan --exit-code: changes are pending
  interrupted = 130,      // safe to run again
};

// Ends a command. what() is for the operator: it says what to do next, and holds no secret.
class Failure : public std::runtime_error {
 public:
  // `name` is the snake_case code of the JSON error; null: the exit code's own.
  Failure(Exit code, const std::string& message, const char* name = nullptr)
      : std::runtime_error(message), code_(code), name_(name) {}

  Exit code() const { return code_; }
  const char* name() const { return name_; }

 private:
  Exit code_;
  const char* name_;
};

}  // namespace socialsync
