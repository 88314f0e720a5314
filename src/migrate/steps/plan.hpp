// What apply() would do, without doing it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "migrate/catalogue.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

struct Plan {
  std::string database;
  std::string role;
  std::string server_version;  // "15.18"
  std::uint64_t accounts = 0;  // rows of social_accounts, as the statistics estimate
  std::string hash;            // the same for the same work
  std::vector<Step> steps;
  std::vector<std::string> missing_rights;
  std::vector<std::string> conflicts;
  std::vector<std::string> warnings;
  std::vector<std::string> blockers;  // "pid 4121 …": open transactions that a step would wait for
  std::vector<std::string> rows;      // that stand in the way of steps, with their ids

  std::size_t todo() const;
};

// Reads the catalogue in one transaction that is never committed: it takes no lock that others wait for. Rows
// are looked at for half a second at most, so that its time does not depend on their number. Throws as
// Catalogue does.
Plan make_plan(const pg::ConnectionOptions& options);

// How long a step takes, by the number of rows that it reads; measured on two cores of a small server.
std::chrono::milliseconds estimate(const Step& step, std::uint64_t accounts);

// Whom it blocks: "nobody", "writers, 100 ms at a time".
std::string blocks(const Step& step);

// What was done so far, by whom, and what is going on now.
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
