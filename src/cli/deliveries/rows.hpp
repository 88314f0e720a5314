#pragma once

#include <boost/json.hpp>

#include "store/delivery_admin.hpp"

namespace socialsync::cli::deliveries {

boost::json::object json_of(const store::OutboxRow& row);
boost::json::object json_of(const store::PastAttempt& row);
// "delivered 200", "http_status 500", "timed_out".
std::string result_of(const store::PastAttempt& row);

}  // namespace socialsync::cli::deliveries
