// Finds obstacles to the migration before anything is changed.
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
  std::string todo{};  // advice for the operator; may be empty
};

// Reads only, in a transaction that is never committed. Throws pg::Error when the server is unreachable.
std::vector<Diagnosis> examine(const pg::ConnectionOptions& options);

}  // namespace socialsync::migrate
