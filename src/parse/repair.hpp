#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace socialsync::parse {

// A copy of `json`, which must be valid, that PostgreSQL's jsonb takes: \ufffd for NUL and lone surrogates,
// and absurd numbers as strings. Nothing when `json` is fit as it is.
std::optional<std::string> repaired(std::string_view json);

}  // namespace socialsync::parse
