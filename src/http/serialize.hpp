#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace socialsync::http {

// The whole answer in one buffer. `head_only` (the answer to HEAD) leaves the body out and its length in.
// Throws std::invalid_argument when a header holds a control character: it would forge other headers.
std::string serialize(const Response& response, bool keep_alive, bool head_only);

// "Not Found" for 404; "Unknown" for what is not in the table.
std::string_view reason_phrase(int status);

}  // namespace socialsync::http
