// The steps that apply() would run, and those that earlier runs did.
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
  std::uint64_t accounts = 0;  // rows of social_accounts, estimated from statistics
  std::string hash;            // hash_of(steps)
  std::vector<Step> steps;
  std::vector<std::string> missing_rights;
  std::vector<std::string> conflicts;
  std::vector<std::string> warnings;
  std::vector<std::string> blockers;  // "pid 4121 …": open transactions whose locks a step would wait for
  std::vector<std::string> rows;      // rows that block steps, with the ids of accounts

  std::size_t todo() const;
};

// Reads the catalogue in one transaction that is never committed, and takes no lock that blocks others.
// Searches for blocking rows for half a second at most. Throws as Catalogue does.
Plan make_plan(const pg::ConnectionOptions& options);

// The duration of a step on this many accounts, from measurements on two cores of a small server.
std::chrono::milliseconds estimate(const Step& step, std::uint64_t accounts);

// The sessions that the step's lock blocks: "none", "writers, ≤100 ms".
std::string blocks(const Step& step);

struct Status {
  struct Run {
    std::string run;
    std::string began_at;
    std::string ended_at;  // the end of its last step
    std::uint64_t steps = 0;
    std::string later;  // steps blocked by rows
  };
  std::size_t done = 0;
  std::vector<std::string> todo;  // ids of steps
  std::string active;             // the session that changes the database now; empty: none
  std::vector<Run> runs;          // the newest ten, newest first
  std::string hidden;             // the privilege missing to read earlier runs; empty: none
};

// Reads only, in a transaction that is never committed.
Status read_status(const pg::ConnectionOptions& options);

}  // namespace socialsync::migrate
