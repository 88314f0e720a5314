#pragma once

#include <optional>
#include <string_view>

#include "model/event.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

// Meta's `object` of a platform's webhooks, and back.
std::string_view object_name(model::Platform platform);
std::optional<model::Platform> platform_of(Value object);

}  // namespace socialsync::parse
