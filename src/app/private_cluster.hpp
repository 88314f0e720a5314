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

// A PostgreSQL of our own under one directory, reached only through a socket there that only its owner (and
// root) can open: for trying things, and for a single machine. Made when it is not there, started again when
// it dies, stopped with us; the data stays.
class PrivateCluster {
 public:
  // Returns when it takes connections. `directory` is ours and private (process::settle_in). Throws
  // std::runtime_error with what PostgreSQL said.
  explicit PrivateCluster(std::string directory);
  ~PrivateCluster();
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;

  // libpq's keywords and values for the cluster in `directory`, running or not.
  static std::vector<std::pair<std::string, std::string>> options(const std::string& directory);
  // What a person types to look inside.
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
