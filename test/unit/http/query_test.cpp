#include <string>

#include <doctest/doctest.h>

#include "http/message.hpp"

namespace socialsync::http {
namespace {

TEST_CASE("query: Meta's handshake") {
  const std::string query = "hub.mode=subscribe&hub.challenge=115%2B8&hub.verify_token=two+words%21";
  CHECK(query_parameter(query, "hub.mode") == "subscribe");
  CHECK(query_parameter(query, "hub.challenge") == "115+8");
  CHECK(query_parameter(query, "hub.verify_token") == "two words!");
  CHECK(query_parameter(query, "hub") == std::nullopt);
  CHECK(query_parameter(query, "verify_token") == std::nullopt);
}

TEST_CASE("query: names are decoded too, and the first one counts") {
  CHECK(query_parameter("hub%2Emode=1&hub.mode=2", "hub.mode") == "1");
  CHECK(query_parameter("a=1&a=2", "a") == "1");
}

TEST_CASE("query: empty values and odd shapes") {
  CHECK(query_parameter("a", "a") == "");
  CHECK(query_parameter("a=", "a") == "");
  CHECK(query_parameter("a=b=c", "a") == "b=c");
  CHECK(query_parameter("&&a=1&", "a") == "1");
  CHECK(query_parameter("=1", "") == "1");
  CHECK(query_parameter("", "a") == std::nullopt);
  CHECK(query_parameter("&", "a") == std::nullopt);
}

TEST_CASE("query: a percent sign that two digits do not follow stands for itself") {
  CHECK(query_parameter("a=100%", "a") == "100%");
  CHECK(query_parameter("a=%4", "a") == "%4");
  CHECK(query_parameter("a=%zz%41", "a") == "%zzA");
  CHECK(query_parameter("a=%%41", "a") == "%A");
}

TEST_CASE("query: any byte may be meant") {
  CHECK(query_parameter("a=%00%ff", "a") == std::string("\x00\xff", 2));
}

}  // namespace
}  // namespace socialsync::http
