// A delivery as an HTTP request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "deliver/delivery.hpp"
#include "deliver/signing.hpp"
#include "deliver/wire/exchange.hpp"
#include "model/endpoint.hpp"

namespace socialsync::deliver {

// The POST of an event to an endpoint, in its format, signed by `signer`; the endpoint's own headers come
// last. `now_seconds`: Unix time of this attempt.
Request request_of(const Event& event, const model::Endpoint& endpoint, const Signer& signer,
                   std::int64_t now_seconds);

// The body of a delivery, escaped by append_escaped().
// meta:      the event's payload.
// standard:  {"type":…,"timestamp":"2026-11-23T00:00:00.000Z","data":{"id":…,"platform":…,"payload":{…}}}
//            type as in webhook_logs, timestamp of the event, its id (without "msg_"), and the payload as in
//            meta.
std::string body_of(const Event& event, model::DeliveryFormat format);

// Appends `json` with each character beyond '~' as \uxxxx in lower-case hex, as a surrogate pair beyond
// U+FFFF: the same JSON in ASCII. Bytes that are not UTF-8 are left as they are.
//
// Meta signs its webhooks over that form, whatever it sends. Some libraries bring a body into it before they
// check the signature (whatsapp-api-js does, DEL included). A body in that form is right for them, and for
// libraries that check the bytes as received.
void append_escaped(std::string& out, std::string_view json);

// An estimate of the bytes that append_escaped() appends; too small only for a text with many DELs.
std::size_t escaped_length(std::string_view json);

}  // namespace socialsync::deliver
