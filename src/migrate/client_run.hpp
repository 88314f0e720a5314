#pragma once

#include <string>
#include <vector>

#include "migrate/service_file.hpp"
#include "migrate/temporary_file.hpp"
#include "pg/options.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {

// pg_dump or pg_restore at work beside us; stopped when this goes. No password is in its arguments.
class ClientRun {
 public:
  // What pg_restore's --dbname is to be, for the database in the service file.
  static constexpr const char* database = "service=socialsync";

  ClientRun(std::vector<std::string> arguments, const pg::ConnectionOptions& options);

  bool running() { return child_.running(); }
  // Of one that has ended: throws Failure with what it printed unless all went well: refused when a right is
  // missing, else no_backup.
  void require_success() const;

 private:
  std::string program_;
  TemporaryFile printed_;
  ServiceFile service_;
  process::Child child_;
};

// What such a program printed without what the server adds to an error: that quotes rows.
std::string without_rows(const std::string& printed);

}  // namespace socialsync::migrate
