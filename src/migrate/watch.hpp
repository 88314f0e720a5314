// A second session that observes the lock waits and index builds of the first.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "migrate/progress.hpp"
#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Returns the holders of locks on these tables (a PostgreSQL array) whose transactions are older than 100 ms,
// oldest first: "pid 4121 (idle in transaction 14m, app=report)", or a prepared transaction's name. Empty:
// none.
std::string lock_holders(pg::Session& session, const std::string& tables);

// Shows the progress of server process `pid` every 200 ms, from pg_blocking_pids() and
// pg_stat_progress_create_index. Shows nothing without the privileges or a free connection.
class Watch {
 public:
  // Called on the watching thread with the sessions that block the statement.
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
