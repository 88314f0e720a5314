#include "deliver/wire/address.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using boost::asio::ip::make_address;
using Texts = std::vector<std::string>;

EgressPolicy allowing(const Texts& networks) {
  std::vector<net::Cidr> allowed;
  for (const std::string& text : networks) allowed.push_back(*net::Cidr::parse(text));
  return {std::move(allowed), false, ""};
}

void check_each(const EgressPolicy& policy, bool expected, const Texts& addresses) {
  for (const std::string& text : addresses)
    CHECK_MESSAGE(policy.permits(make_address(text)) == expected, text);
}

TEST_CASE("address: public addresses, next to special networks") {
  check_each(
      {}, true,
      {"1.0.0.0",     "1.1.1.1",         "8.8.8.8",    "9.255.255.255", "11.0.0.0",      "100.63.255.255",
       "100.128.0.0", "126.255.255.255", "128.0.0.0",  "168.63.129.15", "168.63.129.17", "169.253.255.255",
       "169.255.0.0", "172.15.255.255",  "172.32.0.0", "192.0.1.0",     "192.0.3.0",     "192.167.255.255",
       "192.169.0.0", "198.17.255.255",  "198.20.0.0", "198.51.99.255", "203.0.114.0",   "223.255.255.255"});
  check_each({}, true,
             {"2606:4700:4700::1111", "2a00:1450::1", "2001:200::1", "2001:4860:4860::8888", "2003::1"});
}

TEST_CASE("address: addresses that are not public") {
  check_each(
      {}, false,
      {"0.0.0.0",    "0.1.2.3",         "10.0.0.0",      "10.255.255.255",  "100.64.0.0",  "100.100.100.200",
       "127.0.0.1",  "127.255.255.255", "168.63.129.16", "169.254.169.254", "172.16.0.0",  "172.31.255.255",
       "192.0.0.1",  "192.0.0.192",     "192.0.2.1",     "192.88.99.1",     "192.168.0.1", "192.168.255.255",
       "198.18.0.1", "198.19.255.255",  "198.51.100.1",  "203.0.113.1",     "224.0.0.1",   "239.255.255.255",
       "240.0.0.1",  "255.255.255.255"});
  check_each({}, false,
             {"::",
              "::1",
              "fc00::1",
              "fd00:ec2::254",
              "fdff:ffff::1",
              "fe80::1",
              "fe80::1%lo",
              "febf::1",
              "fec0::1",
              "ff02::1",
              "ff0e::1",
              "100::1",
              "2001:db8::1",
              "2001:2::1",
              "2001:10::1",
              "2001:20::1",
              "3fff::1",
              "5f00::1",
              "4000::1",
              "64:ff9b:1::1",
              "64:ff9b:1:2:8:808:800::",
              "::fffe:8.8.8.8"});
}

TEST_CASE("address: an embedded IPv4 address decides") {
  check_each({}, false,
             {"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "::127.0.0.1", "::ffff:a9fe:a9fe",
              "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::1", "2002:7f00:1::",
              "2001:0:a00:1::f7f7:f7f7",    // Teredo: a private server, a public client
              "2001:0:808:808::f5ff:fffe",  // a public server, a private client
              "2a00::5efe:10.0.0.1", "2a00::200:5efe:10.0.0.1"});
  check_each({}, true,
             {"::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
              "2001:0:808:808::f7f7:f7f7", "2a00::5efe:8.8.8.8", "2a00::200:5efe:8.8.8.8"});
}

TEST_CASE("address: an allowed network allows only itself") {
  const EgressPolicy policy = allowing({"10.1.0.0/16", "fd00:1::/32", "127.0.0.1"});
  check_each(policy, true,
             {"10.1.0.0", "10.1.255.255", "fd00:1::1", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3",
              "2002:a01:203::1", "8.8.8.8"});
  check_each(
      policy, false,
      {"10.0.255.255", "10.2.0.0", "fd00:2::1", "127.0.0.2", "::1", "::ffff:10.2.0.0", "169.254.169.254"});
  check_each(allowing({"0.0.0.0/0"}), true, {"10.0.0.1", "::ffff:127.0.0.1", "255.255.255.255"});
  check_each(allowing({"0.0.0.0/0"}), false, {"::1", "::", "fd00::1"});
  check_each(allowing({"::/0"}), false, {"10.0.0.1"});
  check_each(allowing({"::/0"}), true, {"::1", "::ffff:10.0.0.1"});
}

TEST_CASE("address: hosts of URLs that are addresses, in any notation") {
  const EgressPolicy policy;
  for (const std::string host : {"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.",
                                 "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "::1", "0", "[fe80::1%25lo]"})
    CHECK_MESSAGE(!policy.permits_literal(host), host);
  for (const std::string host :
       {"8.8.8.8", "134744072", "[2a00::1]", "example.com", "127.0.0.1.example.com", ""})
    CHECK_MESSAGE(policy.permits_literal(host), host);
  CHECK(allowing({"127.0.0.0/8"}).permits_literal("2130706433"));
}

}  // namespace
}  // namespace socialsync::deliver
