// The composition root: builds everything in order, runs until a signal, stops in reverse.
#pragma once

#include <functional>
#include <string>

#include "base/failure.hpp"
#include "config/config.hpp"

namespace socialsync::app {

// The database is not migrated. what() names the command that migrates it.
class NotMigrated : public Failure {
 public:
  NotMigrated();
};

// The database has secrets encrypted under a key that the settings lack. what() names the key and the
// setting.
class WrongSecretsKey : public Failure {
 public:
  explicit WrongSecretsKey(const std::string& message) : Failure(Exit::wrong_usage, message) {}
};

enum class DatabaseOwner { operators, ours };

// The tasks of this process. Any number of processes of each kind may share a database.
enum class Duty { all, ingest_only, deliver_only };

// Serves until SIGTERM or SIGINT, then drains: accepted requests are answered. `on_ready` is called once,
// with the URL for clients, as soon as a webhook would be committed. Throws NotMigrated, WrongSecretsKey, or
// std::runtime_error if the address is in use.
void run_gateway(const config::Config& config, DatabaseOwner owner, Duty duty,
                 std::function<void(const std::string& url)> on_ready);

}  // namespace socialsync::app
