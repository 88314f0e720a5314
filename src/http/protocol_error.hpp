#pragma once

#include "http/message.hpp"

namespace socialsync::http {

// The answers that the server gives by itself: 400, 408, 413, 417, 431, 500, 501, 503 (with Retry-After).
Response protocol_error(int status);

}  // namespace socialsync::http
