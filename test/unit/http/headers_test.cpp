#include "http/headers.hpp"

#include <doctest/doctest.h>

namespace socialsync::http {
namespace {

TEST_CASE("headers: found by name in any case, the first of several") {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("X-Tag", "one");
  headers.add("x-tag", "two");
  headers.add("Empty", "");
  CHECK(headers.find("content-type") == "text/plain");
  CHECK(headers.find("X-TAG") == "one");
  CHECK(headers.find("X-Ta") == "");
  CHECK(headers.find("Empty") == "");
  CHECK(headers.count("x-Tag") == 2);
  CHECK(headers.count("none") == 0);
  CHECK(headers.size() == 4);
  CHECK(headers.name(2) == "x-tag");
  CHECK(headers.value(2) == "two");
  CHECK(headers.value(3) == "");
}

TEST_CASE("headers: copies stand on their own") {
  Headers headers;
  headers.add("A", "1");
  const Headers copy = headers;
  headers.add("B", std::string(1000, 'b'));
  CHECK(copy.find("A") == "1");
  CHECK(copy.size() == 1);
}

TEST_CASE("headers: only ASCII letters have two cases") {
  CHECK(equal_ignoring_case("abcXYZ-1", "ABCxyz-1"));
  CHECK_FALSE(equal_ignoring_case("abc", "abcd"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
}

}  // namespace
}  // namespace socialsync::http
