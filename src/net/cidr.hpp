#pragma once

#include <cstdint>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace socialsync::net {

enum class CidrError : std::uint8_t { not_an_address, not_a_prefix, bits_beyond_prefix };

// Returns the fault as the end of a sentence that begins with the text: "has bits beyond its prefix".
std::string_view to_string(CidrError error);

// A network of IPv4 or IPv6 addresses.
class Cidr {
 public:
  // Reads "10.0.0.0/8" or "fd00::/8". An address without a prefix is a network of one address.
  static Result<Cidr, CidrError> parse(std::string_view text);

  // Compares addresses of one family: an IPv4 address mapped into IPv6 is an IPv6 address.
  bool contains(const boost::asio::ip::address& address) const;

 private:
  Cidr(const boost::asio::ip::address& network, unsigned prefix) : network_(network), prefix_(prefix) {}

  boost::asio::ip::address network_;
  unsigned prefix_;
};

}  // namespace socialsync::net
