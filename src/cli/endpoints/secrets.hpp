#pragma once

#include <string>

#include <boost/json.hpp>

namespace socialsync::cli::endpoints {

// Secrets that were made just now, to be shown this once; empty: it has not changed.
struct NewSecrets {
  std::string signing_secret;
  std::string app_secret;
};

// To standard output, and what the receiver is to do with each.
void print_new(const NewSecrets& secrets);
boost::json::object json_of(const NewSecrets& secrets);

}  // namespace socialsync::cli::endpoints
