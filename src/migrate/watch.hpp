// A second session that looks at what the first one waits for, or builds.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "migrate/progress.hpp"
#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Who holds locks on these tables (a PostgreSQL array) in a transaction of over 100 ms, the oldest first:
// "pid 4121 (idle in transaction 14m, app=report)"; prepared transactions by their names. Empty: nobody now.
std::string lock_holders(pg::Session& session, const std::string& tables);

// While it lives, shows every 200 ms how far the statement of server process `pid` is: pg_blocking_pids, and
// pg_stat_progress_create_index. Without rights or connections for that it shows nothing.
class Watch {
 public:
  // Told each time on the watching thread whom the statement waits for: locks of a table, or old snapshots.
  using TellBlockers = std::function<void(const std::string& blockers)>;

  Watch(const pg::ConnectionOptions& options, int pid, std::string what, ShowProgress show,
        TellBlockers tell_blockers = {});
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void look_until_ended(const pg::ConnectionOptions& options);
  void look(pg::Session& session);

  int pid_;
  std::string what_;
  ShowProgress show_;
  TellBlockers tell_blockers_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace socialsync::migrate
