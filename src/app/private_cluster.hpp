#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "process/child.hpp"

namespace socialsync::app {

// A private PostgreSQL server in one directory, for evaluation and for a single machine. Its only listener is
// a socket there, which only the owner and root can open. It is created if it does not exist, restarted if it
// ends, and stopped with this process; the data stays.
class PrivateCluster {
 public:
  // Returns when the server accepts connections. `directory` is private to this user (process::settle_in).
  // Throws std::runtime_error with PostgreSQL's message.
  explicit PrivateCluster(std::string directory);
  ~PrivateCluster();
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;

  // Returns libpq's keywords and values for the cluster in `directory`, running or not.
  static std::vector<std::pair<std::string, std::string>> options(const std::string& directory);
  // Returns the psql command for an operator.
  static std::string psql_command(const std::string& directory);

 private:
  void lock();
  void initialize();
  void write_access_rules() const;
  void wait_for_predecessor() const;
  void start();
  void wait_until_ready();
  void create_database() const;
  void watch(std::stop_token stopping);
  std::string program(const std::string& name) const;

  std::string directory_;
  std::string program_directory_;
  int lock_ = -1;
  std::unique_ptr<process::Child> server_;
  std::jthread watcher_;
};

}  // namespace socialsync::app
