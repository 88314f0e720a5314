// What was done so far, by whom, and what is going on now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/options.hpp"

namespace socialsync::migrate {

struct Status {
  struct Run {
    std::string run;
    std::string began_at;
    std::string ended_at;  // its last step's end
    std::uint64_t steps = 0;
    std::string later;  // steps that rows were in the way of
  };
  std::size_t done = 0;
  std::vector<std::string> todo;  // ids of steps
  std::string active;             // the session that changes the database now; empty: none
  std::vector<Run> runs;          // the newest ten, newest first
  std::string hidden;  // why there are no runs to see, and what shows them; empty: nothing is hidden
};

// Reads only, in a transaction that is never committed.
Status look(const pg::ConnectionOptions& options);

}  // namespace socialsync::migrate
