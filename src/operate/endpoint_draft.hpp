// The draft of an endpoint that is added or changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/endpoint_admin.hpp"

namespace socialsync::operate {

struct EndpointDraft {
  std::optional<std::string> url{};
  bool is_pulled = false;                             // no URL: its events are pulled
  std::optional<std::string> events{};                // comma-separated
  std::optional<std::string> format{};                // meta or standard
  std::optional<std::vector<std::string>> headers{};  // "Name: value"
  std::optional<bool> is_ordered{};
  std::optional<std::uint64_t> concurrent_max{};
  std::optional<std::uint64_t> per_second_max{};
  std::optional<std::string> description{};
  std::optional<std::string> app_secret{};
  std::vector<std::string> cleared{};  // names of columns to set to NULL
};

// Returns the columns to write, with plaintext secrets. Throws Failure (wrong_usage) for a value that is not
// valid; its message holds no secret and no value of a header.
store::EndpointChange change_of(const EndpointDraft& draft);

}  // namespace socialsync::operate
