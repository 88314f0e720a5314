// The composition root: builds everything in order, runs until a signal, stops in reverse.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "config/config.hpp"

namespace socialsync::app {

// The database lacks our tables. what() says which command makes them.
class NotMigrated : public std::runtime_error {
 public:
  NotMigrated();
};

enum class DatabaseOwner { operators, ours };

// Serves until SIGTERM or SIGINT, then finishes what it has accepted. `on_ready` is called once, as soon as a
// webhook would be committed, with the URL that clients can reach. Throws NotMigrated, or std::runtime_error
// when the address is taken.
void run_gateway(const config::Config& config, DatabaseOwner owner,
                 std::function<void(const std::string& url)> on_ready);

}  // namespace socialsync::app
