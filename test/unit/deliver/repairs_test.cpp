#include "deliver/repairs.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

store::EndpointState endpoint(std::uint8_t number, const std::string& url, bool is_failing = false) {
  store::EndpointState state{.endpoint = {}, .failing_since_ms = {}};
  state.endpoint.id.bytes[15] = number;
  state.endpoint.url = url;
  if (is_failing) state.failing_since_ms = 1;
  return state;
}

// The numbers of those that were repaired.
std::string repaired(Repairs& repairs, const std::vector<store::EndpointState>& endpoints) {
  std::string numbers;
  for (const Uuid& id : repairs.since_last(endpoints)) numbers += std::to_string(id.bytes[15]);
  return numbers;
}

TEST_CASE("repairs: another URL, or an end of failing") {
  Repairs repairs;
  CHECK(repaired(repairs, {endpoint(1, "a"), endpoint(2, "b", true), endpoint(3, "c")}).empty());
  CHECK(repaired(repairs, {endpoint(1, "a"), endpoint(2, "b", true), endpoint(3, "c", true)}).empty());
  CHECK(repaired(repairs, {endpoint(1, "new"), endpoint(2, "b"), endpoint(3, "new", true)}) == "123");
  CHECK(repaired(repairs, {endpoint(1, "new"), endpoint(2, "b"), endpoint(3, "new", true)}).empty());
}

TEST_CASE("repairs: one that was away meanwhile is like a new one") {
  Repairs repairs;
  CHECK(repaired(repairs, {endpoint(1, "a", true)}).empty());
  CHECK(repaired(repairs, {}).empty());
  CHECK(repaired(repairs, {endpoint(1, "new")}).empty());
}

}  // namespace
}  // namespace socialsync::deliver
