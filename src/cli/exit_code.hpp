#pragma once

namespace socialsync::cli {

// What a command tells the shell. Quoted in every --help.
enum ExitCode {
  done = 0,
  internal_error = 1,
  usage_error = 2,   // also a bad setting
  not_migrated = 3,  // the database is not ready for us; nothing was changed
  not_accepted = 4,  // send: a webhook was not answered with 200
  left_over = 5,     // secrets: some values could not be read or changed; the rest is done
  not_answered = 6,  // endpoints: the receiver did not answer as it should; nothing was changed
  other_run = 7,     // secrets: a migration or rollback is changing the database
  not_found = 9,     // there is no such account, or row: as where the data stands in the way of migrate
  interrupted = 130  // safe to run again
};

}  // namespace socialsync::cli
