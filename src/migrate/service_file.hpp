#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrate/temporary_file.hpp"
#include "pg/options.hpp"

namespace socialsync::migrate {

// A libpq service file that only we can read: how a program of PostgreSQL's learns a password without its
// being in an argument list. https://www.postgresql.org/docs/current/libpq-pgservice.html
class ServiceFile {
 public:
  explicit ServiceFile(const pg::ConnectionOptions& options);

  // For the program that is to connect as `options` say; `server_settings` as in PGOPTIONS.
  std::vector<std::pair<std::string, std::string>> environment(const std::string& server_settings = "") const;

 private:
  TemporaryFile file_;
};

}  // namespace socialsync::migrate
