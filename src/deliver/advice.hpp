// What to do about a delivery that failed, for the person who looks after it.
#pragma once

#include <string_view>

#include "deliver/exchange.hpp"

namespace socialsync::deliver {

// By webhook_delivery_attempts.error and http_status (0: none). Empty when there is nothing to say, as of one
// that was delivered.
std::string_view advice_on(std::string_view error, int http_status);

}  // namespace socialsync::deliver
