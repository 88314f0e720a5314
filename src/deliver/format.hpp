// What the body of a delivery is.
#pragma once

#include <string>

#include "deliver/delivery.hpp"
#include "model/endpoint.hpp"

namespace socialsync::deliver {

// meta:      the event's payload.
// standard:  {"type":…,"timestamp":"2026-11-23T00:00:00.000Z","data":{"id":…,"platform":…,"payload":{…}}}
//            type as in webhook_logs, timestamp of the receipt, id of the event (without "msg_"), and the
//            same payload that the meta format sends.
// Both escaped: deliver/escape.hpp
std::string body_of(const Event& event, model::DeliveryFormat format);

}  // namespace socialsync::deliver
