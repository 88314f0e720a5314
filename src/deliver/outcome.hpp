// What a reply means for a delivery.
#pragma once

#include <cstdint>
#include <string_view>

#include "deliver/exchange.hpp"

namespace socialsync::deliver {

enum class Verdict : std::uint8_t {
  delivered,  // 2xx
  retry,      // all else: no answer, redirects (which are not followed), 4xx, 5xx
  gone,       // 410: the receiver asks for no more, its endpoint is to be disabled
};

Verdict verdict_of(const Reply& reply);

// webhook_delivery_attempts.error: empty when delivered, "http_status" for any other answer, the name of the
// SendError when there was none.
std::string_view error_of(const Reply& reply);

}  // namespace socialsync::deliver
