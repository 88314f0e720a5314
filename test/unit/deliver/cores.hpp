// For the tests of the delivery cores: small names for rows, and outputs as text. Row A1 is event 1 for
// endpoint A.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "deliver/events.hpp"

namespace socialsync::deliver::testing {

inline Uuid endpoint_id(char name) {
  Uuid id;
  id.bytes[0] = 1;
  id.bytes[15] = static_cast<std::uint8_t>(name);
  return id;
}

inline store::DeliveryKey row_key(char endpoint, int event) {
  store::DeliveryKey key{.event_id = {}, .endpoint_id = endpoint_id(endpoint)};
  key.event_id.bytes[15] = static_cast<std::uint8_t>(event);
  return key;
}

inline std::string name_of(const Uuid& endpoint) {
  return std::string(1, static_cast<char>(endpoint.bytes[15]));
}
inline std::string name_of(const store::DeliveryKey& key) {
  return name_of(key.endpoint_id) + std::to_string(key.event_id.bytes[15]);
}

// "A1 A2 B1"
template <class Range, class Project>
std::string names_of(const Range& range, Project project) {
  std::string names;
  for (const auto& each : range) names += (names.empty() ? "" : " ") + name_of(project(each));
  return names;
}
inline std::string names_of(std::span<const store::DeliveryKey> keys) {
  return names_of(keys, [](const auto& key) { return key; });
}
inline std::string names_of(std::span<const store::AttemptRow> rows) {
  return names_of(rows, [](const auto& row) { return row.key; });
}
inline std::string names_of(std::span<const store::EndpointNews> news) {
  return names_of(news, [](const auto& one) { return one.endpoint_id; });
}

inline std::string text_of(const record::Statement& statement) {
  struct Text {
    std::string operator()(const record::WriteResults& write) { return "write " + names_of(write.rows); }
    std::string operator()(const record::FindLocked& find) { return "find locked " + names_of(find.keys); }
    std::string operator()(const record::WriteNews& write) { return "write news " + names_of(write.news); }
    std::string operator()(const record::Release& release) { return "release " + names_of(release.keys); }
    std::string operator()(const record::Renew& renew) { return "renew " + names_of(renew.keys); }
  };
  return std::visit(Text(), statement);
}

inline event::Refused refused(const char* sqlstate) { return {pg::Error("refused", sqlstate)}; }
inline constexpr const char* lock_timeout = "55P03";
inline constexpr const char* bad_value = "22021";
inline constexpr const char* disk_full = "53100";
inline constexpr const char* shutdown = "57P01";

// "one, two"
inline void append_text(std::string& text, const std::string& next) {
  if (!text.empty() && !next.empty()) text += ", ";
  text += next;
}

}  // namespace socialsync::deliver::testing
