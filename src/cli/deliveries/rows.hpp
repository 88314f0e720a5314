#pragma once

#include <boost/json.hpp>

#include "store/delivery_admin.hpp"

namespace socialsync::cli::deliveries {

boost::json::object json_of(const store::OutboxRow& row);
boost::json::object json_of(const store::PastAttempt& row);
// What webhook_delivery_attempts.error says of one that an operator took out of the outbox: no attempt at
// all.
inline constexpr const char* cancelled = "cancelled";

// "delivered 200", "http_status 500", "timed_out".
std::string result_of(const store::PastAttempt& row);

}  // namespace socialsync::cli::deliveries
