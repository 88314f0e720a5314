#include "deliver/failing.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using enum FailingMark;

constexpr std::chrono::system_clock::time_point start{1000h};

FailingMark after(std::chrono::minutes time, FailingMark marked) {
  return failing_mark(start, start + time, marked);
}

TEST_CASE("failing: marks at 50, 70, 90 and 100 % of five days") {
  CHECK(after(0h, none) == none);
  CHECK(after(60h - 1min, none) == none);
  CHECK(after(60h, none) == half);
  CHECK(after(84h - 1min, none) == half);
  CHECK(after(84h, half) == most);
  CHECK(after(108h - 1min, most) == none);
  CHECK(after(108h, most) == nearly_all);
  CHECK(after(120h - 1min, nearly_all) == none);
  CHECK(after(120h, nearly_all) == all);
}

TEST_CASE("failing: each mark is said once") {
  CHECK(after(61h, half) == none);
  CHECK(after(107h, most) == none);
  CHECK(after(119h, nearly_all) == none);
  CHECK(after(500h, all) == none);
}

TEST_CASE("failing: of several that were passed, the highest") {
  CHECK(after(110h, none) == nearly_all);
  CHECK(after(110h, half) == nearly_all);
  CHECK(after(500h, none) == all);
}

TEST_CASE("failing: a clock that went back says nothing") {
  CHECK(after(-500h, none) == none);
  CHECK(after(61h, nearly_all) == none);
}

}  // namespace
}  // namespace socialsync::deliver
