#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace socialsync::net {

enum class CidrError : std::uint8_t { not_an_address, not_a_prefix, bits_beyond_prefix };

// The problem as the predicate of a sentence about the given text: "has bits beyond its prefix".
std::string_view to_string(CidrError error);

// A network of IPv4 or IPv6 addresses.
class Cidr {
 public:
  // "10.0.0.0/8", "fd00::/8"; an address without a prefix is a network with one address.
  static Result<Cidr, CidrError> parse(std::string_view text);

  // Compares addresses of one family: a mapped IPv4 address counts as IPv6.
  bool contains(const boost::asio::ip::address& address) const;

 private:
  using Bytes = std::array<unsigned char, 16>;

  static Bytes bytes_of(const boost::asio::ip::address& address);
  bool matches(const Bytes& bytes) const;

  Bytes network_{};  // an IPv4 address uses the first four
  unsigned prefix_ = 0;
  bool is_v4_ = true;
};

}  // namespace socialsync::net
