#include "ingest/quarantine_level.hpp"

#include <doctest/doctest.h>

namespace socialsync::ingest {
namespace {

TEST_CASE("quarantine level: over the cap, and a tenth over it") {
  QuarantineLevel level({100, 1000});
  level.add({100, 1000});
  CHECK_FALSE(level.is_over());
  level.add({1, 0});
  CHECK(level.is_over());
  CHECK(level.excess() == QuarantineSize{1, 0});
  CHECK_FALSE(level.is_full());
  level.add({9, 0});
  CHECK_FALSE(level.is_full());
  level.add({1, 0});
  CHECK(level.is_full());
}

TEST_CASE("quarantine level: bytes alone can be too many") {
  QuarantineLevel level({100, 1000});
  level.add({1, 1101});
  CHECK(level.excess() == QuarantineSize{0, 101});
  CHECK(level.is_full());
}

TEST_CASE("quarantine level: a count replaces what was written before it began") {
  QuarantineLevel level({100, 1000});
  level.add({50, 500});
  level.begin_count();
  level.add({2, 20});  // the count may have missed these
  level.counted({10, 100});
  CHECK(level.now() == QuarantineSize{12, 120});
  level.begin_count();
  level.counted({12, 120});
  CHECK(level.now() == QuarantineSize{12, 120});
}

}  // namespace
}  // namespace socialsync::ingest
