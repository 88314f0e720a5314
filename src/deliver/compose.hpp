// One delivery as a request.
#pragma once

#include <cstdint>

#include "deliver/delivery.hpp"
#include "deliver/exchange.hpp"
#include "deliver/signing.hpp"
#include "model/endpoint.hpp"

namespace socialsync::deliver {

// The POST of an event to an endpoint, in its format, signed by `signer`, with its own headers behind ours.
// `now_seconds`: Unix time of this attempt.
Request request_of(const Event& event, const model::Endpoint& endpoint, const Signer& signer,
                   std::int64_t now_seconds);

}  // namespace socialsync::deliver
