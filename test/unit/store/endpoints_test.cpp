#include "store/endpoints.hpp"

#include <doctest/doctest.h>

namespace socialsync::store {
namespace {

EndpointNews failing(const char* disabled_because = "") {
  return {.endpoint_id = {}, .is_failing = true, .disabled_because = disabled_because};
}

EndpointNews well() { return {.endpoint_id = {}, .disabled_because = {}}; }

TEST_CASE("endpoint news: a success between two failures is not forgotten") {
  CHECK_FALSE(combined(failing(), failing()).was_well);
  CHECK(combined(well(), failing()).was_well);
  CHECK(combined(combined(well(), failing()), failing()).was_well);
  CHECK_FALSE(combined(failing(), well()).is_failing);
}

TEST_CASE("endpoint news: why it was switched off stays") {
  CHECK(combined(failing("gone"), failing()).disabled_because == "gone");
  CHECK(combined(failing("gone"), failing("again")).disabled_because == "again");
}

}  // namespace
}  // namespace socialsync::store
