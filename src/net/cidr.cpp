#include "net/cidr.hpp"

#include <charconv>
#include <string>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace socialsync::net {
namespace {

namespace ip = boost::asio::ip;

// True when `text` is nothing but a number up to `most`.
bool read_prefix(std::string_view text, unsigned most, unsigned& prefix) {
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, prefix);
  return error == std::errc() && end == last && prefix <= most;
}

// The network of that length that an address lies in.
ip::address network_of(const ip::address& address, unsigned prefix) {
  const auto length = static_cast<unsigned short>(prefix);
  if (address.is_v4()) return ip::network_v4(address.to_v4(), length).network();
  const ip::address_v6 without_zone(address.to_v6().to_bytes());
  return ip::network_v6(without_zone, length).network();
}

}  // namespace

std::string_view to_string(CidrError error) {
  switch (error) {
    case CidrError::not_an_address: return "is not an address or a network, such as 10.0.0.0/8 or fd00::/8";
    case CidrError::not_a_prefix:
      return "needs a prefix of 0 to 32 behind its slash, or of 0 to 128 for IPv6";
    case CidrError::bits_beyond_prefix: return "has bits beyond its prefix";
  }
  return {};
}

Result<Cidr, CidrError> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text.substr(0, slash)), error);
  const bool has_zone = text.find('%') != std::string_view::npos;
  if (error || has_zone) return CidrError::not_an_address;
  const unsigned longest = address.is_v4() ? 32 : 128;
  unsigned prefix = longest;
  const bool has_prefix = slash != std::string_view::npos;
  if (has_prefix && !read_prefix(text.substr(slash + 1), longest, prefix)) return CidrError::not_a_prefix;
  if (network_of(address, prefix) != address) return CidrError::bits_beyond_prefix;
  return Cidr(address, prefix);
}

bool Cidr::contains(const ip::address& address) const {
  return address.is_v4() == network_.is_v4() && network_of(address, prefix_) == network_;
}

}  // namespace socialsync::net
