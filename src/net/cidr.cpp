#include "net/cidr.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace socialsync::net {
namespace {

namespace ip = boost::asio::ip;

// True if `text` is a number up to `most` and nothing else.
bool read_prefix(std::string_view text, unsigned most, unsigned& prefix) {
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, prefix);
  return error == std::errc() && end == last && prefix <= most;
}

// The bits of byte `index` that belong to the prefix.
unsigned char mask_at(unsigned prefix, std::size_t index) {
  const std::size_t begin = index * 8;
  if (prefix >= begin + 8) return 0xff;
  if (prefix <= begin) return 0;
  return static_cast<unsigned char>(0xff << (begin + 8 - prefix));
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

Cidr::Bytes Cidr::bytes_of(const ip::address& address) {
  Bytes bytes{};
  if (address.is_v4())
    std::ranges::copy(address.to_v4().to_bytes(), bytes.begin());
  else
    std::ranges::copy(address.to_v6().to_bytes(), bytes.begin());
  return bytes;
}

bool Cidr::matches(const Bytes& bytes) const {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if ((bytes[i] & mask_at(prefix_, i)) != network_[i]) return false;
  }
  return true;
}

Result<Cidr, CidrError> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text.substr(0, slash)), error);
  const bool has_zone = text.find('%') != std::string_view::npos;
  if (error || has_zone) return CidrError::not_an_address;
  Cidr cidr;
  cidr.is_v4_ = address.is_v4();
  cidr.network_ = bytes_of(address);
  cidr.prefix_ = cidr.is_v4_ ? 32 : 128;
  const bool has_prefix = slash != std::string_view::npos;
  if (has_prefix && !read_prefix(text.substr(slash + 1), cidr.prefix_, cidr.prefix_))
    return CidrError::not_a_prefix;
  if (!cidr.matches(cidr.network_)) return CidrError::bits_beyond_prefix;
  return cidr;
}

bool Cidr::contains(const ip::address& address) const {
  return address.is_v4() == is_v4_ && matches(bytes_of(address));
}

}  // namespace socialsync::net
