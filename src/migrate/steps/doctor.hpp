// Everything about a database that could get in the way of the migration, found before anything is changed.
#pragma once

#include <string>
#include <vector>

#include "pg/options.hpp"

namespace socialsync::migrate {

struct Diagnosis {
  enum class State { good, warning, bad };
  std::string id;  // "D05": stable
  State state = State::good;
  std::string found;
  std::string todo{};  // what to do about it; empty where there is nothing
};

// Reads only, in a transaction that is never committed. A server that cannot be reached at all is a
// pg::Error.
std::vector<Diagnosis> examine(const pg::ConnectionOptions& options);

}  // namespace socialsync::migrate
