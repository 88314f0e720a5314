#include "model/event.hpp"

#include <doctest/doctest.h>

namespace socialsync::model {
namespace {

// Part of every event's identity: another word here and each old event would come back as a new one.
TEST_CASE("event: platforms have a fixed word each") {
  CHECK(to_string(Platform::whatsapp) == "whatsapp");
  CHECK(to_string(Platform::instagram) == "instagram");
  CHECK(to_string(Platform::messenger) == "messenger");
}

}  // namespace
}  // namespace socialsync::model
