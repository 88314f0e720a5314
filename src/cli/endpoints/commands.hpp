// `socialsync endpoints …`
#pragma once

#include <string>

#include "cli/app/command.hpp"
#include "operate/endpoints.hpp"

namespace socialsync::cli::endpoints {

// list and show
void add_reading(Command endpoints);
// add, set, rotate-secret, enable, disable and remove
void add_changing(Command endpoints);
void add_test(Command endpoints);

// The argument ENDPOINT.
void add_endpoint_name(Command command, std::string& name);
// ENDPOINT or --account, and the check that one of the two is given.
void add_choice(Command command, operate::EndpointChoice& choice);
void check(const operate::EndpointChoice& choice);

// One line that identifies the endpoint, fit for a terminal.
std::string described(const store::EndpointRecord& endpoint);

}  // namespace socialsync::cli::endpoints
