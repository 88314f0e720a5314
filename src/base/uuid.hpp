#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace socialsync {

// The sixteen bytes of a UUID in network order, as in PostgreSQL's binary protocol.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// Returns the usual form: lower case, with hyphens.
std::string to_string(const Uuid& id);

// Returns nothing unless `text` is exactly 36 characters in the usual form, of either case.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace socialsync

template <>
struct std::hash<socialsync::Uuid> {
  std::size_t operator()(const socialsync::Uuid& id) const noexcept;
};
