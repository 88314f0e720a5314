#include "net/cidr.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync::net {
namespace {

using boost::asio::ip::make_address;

bool contains(const std::string& network, const std::string& address) {
  return Cidr::parse(network)->contains(make_address(address));
}

TEST_CASE("cidr: contains what has its first bits") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("192.168.128.0/17", "192.168.255.255"));
  CHECK_FALSE(contains("192.168.128.0/17", "192.168.127.255"));
  CHECK(contains("0.0.0.0/0", "255.1.2.3"));
  CHECK(contains("1.2.3.4", "1.2.3.4"));
  CHECK_FALSE(contains("1.2.3.4", "1.2.3.5"));
  CHECK(contains("fd00::/9", "fd7f::1"));
  CHECK_FALSE(contains("fd00::/9", "fd80::1"));
  CHECK(contains("::1", "::1"));
  CHECK(contains("fe80::/10", "fe80::1%lo"));
}

TEST_CASE("cidr: one family does not contain the other") {
  CHECK_FALSE(contains("0.0.0.0/0", "::ffff:10.0.0.1"));
  CHECK_FALSE(contains("::/0", "10.0.0.1"));
}

TEST_CASE("cidr: what is no network") {
  for (const std::string text :
       {"", "/8", "10.0.0/8", "10.0.0.256", "host/8", "10.0.0.0 /8", "fe80::1%lo", "[::1]"})
    CHECK_MESSAGE(Cidr::parse(text).error() == CidrError::not_an_address, text);
  for (const std::string text : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8",
                                 "10.0.0.0/255.0.0.0", "::/129", "10.0.0.0/8/8", "::/4294967296"})
    CHECK_MESSAGE(Cidr::parse(text).error() == CidrError::not_a_prefix, text);
  for (const std::string text :
       {"10.0.0.1/8", "10.128.0.0/8", "0.0.0.1/0", "fd00::1/8", "::1/0", "10.0.0.1/31"})
    CHECK_MESSAGE(Cidr::parse(text).error() == CidrError::bits_beyond_prefix, text);
  CHECK(to_string(CidrError::bits_beyond_prefix) == "has bits beyond its prefix");
}

}  // namespace
}  // namespace socialsync::net
