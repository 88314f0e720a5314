#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/connection.hpp"

namespace socialsync::migrate {

// psql stopped at an error. what() is what it printed.
class PsqlFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs a file's text with psql on the database that `options` name. No password comes into an argument list:
// psql reads a service file that is gone when this returns. Returns what psql printed.
std::string run_psql(const pg::ConnectionOptions& options, std::string_view sql);

}  // namespace socialsync::migrate
