// The composition root: builds everything in order, runs until a signal, stops in reverse.
#pragma once

#include <functional>
#include <string>

#include "base/failure.hpp"
#include "config/config.hpp"

namespace socialsync::app {

// The database lacks our tables. what() says which command makes them.
class NotMigrated : public Failure {
 public:
  NotMigrated();
};

// The database has secrets under a key that is not one of the settings'. what() says which, and what to set.
class WrongSecretsKey : public Failure {
 public:
  explicit WrongSecretsKey(const std::string& message) : Failure(Exit::wrong_usage, message) {}
};

enum class DatabaseOwner { operators, ours };

// What this process does. Any number of each may work on one database.
enum class Duty { all, ingest_only, deliver_only };

// Serves until SIGTERM or SIGINT, then finishes what it has accepted. `on_ready` is called once, as soon as a
// webhook would be committed, with the URL that clients can reach. Throws NotMigrated, WrongSecretsKey, or
// std::runtime_error when the address is taken.
void run_gateway(const config::Config& config, DatabaseOwner owner, Duty duty,
                 std::function<void(const std::string& url)> on_ready);

}  // namespace socialsync::app
