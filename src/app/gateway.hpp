// The composition root: builds everything in order, runs until a signal, stops in reverse.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"

namespace socialsync::app {

enum class DatabaseOwner { operators, ours };

// The tasks of this process. Any number of processes of each kind may share a database.
enum class Duty { all, ingest_only, deliver_only };

// Serves until SIGTERM or SIGINT, then drains: accepted requests are answered. `on_ready` is called once,
// with the URL for clients, as soon as a webhook would be committed. Throws NotMigrated, WrongSecretsKey, or
// std::runtime_error if the address is in use.
void run_gateway(const config::Config& config, DatabaseOwner owner, Duty duty,
                 std::function<void(const std::string& url)> on_ready);

}  // namespace socialsync::app
