#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "pg/session.hpp"

namespace socialsync::migrate {

// Waits while a standby is too far behind, as far as this role may see that (pg_monitor).
class BackfillThrottle {
 public:
  BackfillThrottle(pg::Session& session, std::chrono::milliseconds lag_max)
      : session_(session), lag_max_(lag_max) {}

  // `interrupted` ends the wait; `tell` hears why we wait.
  void wait(const std::function<bool()>& interrupted, const std::function<void(const std::string&)>& tell);

  std::chrono::milliseconds paused() const { return paused_; }

 private:
  std::chrono::milliseconds lag();

  pg::Session& session_;
  std::chrono::milliseconds lag_max_;
  std::chrono::milliseconds paused_{0};
  std::chrono::steady_clock::time_point asked_{};
};

}  // namespace socialsync::migrate
