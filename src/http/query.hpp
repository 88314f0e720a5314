#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace socialsync::http {

// The first parameter of that name in a raw query string ("a=1&b=2"), decoded: '+' is a space and %XX a byte.
// A '%' that two hex digits do not follow stands for itself, as browsers have it. A parameter without '=' is
// an empty string. Nothing when there is none.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace socialsync::http
