#include "deliver/wire/address.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <arpa/inet.h>

namespace socialsync::deliver {
namespace {

namespace ip = boost::asio::ip;
using net::Cidr;
using V6 = ip::address_v6::bytes_type;

Cidr network(std::string_view text) { return *Cidr::parse(text); }

bool contains(const auto& networks, const ip::address& address) {
  return std::ranges::any_of(networks, [&](const Cidr& cidr) { return cidr.contains(address); });
}

bool is_special(const ip::address_v4& address) {
  static const std::array networks = {
      network("0.0.0.0/8"),        // "this network"
      network("10.0.0.0/8"),       // private
      network("100.64.0.0/10"),    // carriers' NAT, and a cloud's metadata
      network("127.0.0.0/8"),      // loopback
      network("168.63.129.16"),    // Azure's platform
      network("169.254.0.0/16"),   // link-local, and most clouds' metadata
      network("172.16.0.0/12"),    // private
      network("192.0.0.0/24"),     // protocol assignments
      network("192.0.2.0/24"),     // documentation
      network("192.88.99.0/24"),   // 6to4 relays
      network("192.168.0.0/16"),   // private
      network("198.18.0.0/15"),    // benchmarks
      network("198.51.100.0/24"),  // documentation
      network("203.0.113.0/24"),   // documentation
      network("224.0.0.0/4"),      // multicast
      network("240.0.0.0/4"),      // reserved, and broadcast
  };
  return contains(networks, address);
}

const Cidr& teredo() {
  static const Cidr cidr = network("2001::/32");
  return cidr;
}

// IPv6 addresses that only write, or translate to, an IPv4 address.
bool is_embedded_v4(const ip::address_v6& address) {
  static const std::array networks = {
      network("::ffff:0:0/96"),  // mapped
      network("::/96"),          // compatible
      network("64:ff9b::/96"),   // NAT64
  };
  return contains(networks, address) && !address.is_unspecified() && !address.is_loopback();
}

// All addresses but global unicast are special: fc00::/7, fe80::/10, ff00::/8, 64:ff9b:1::/48, ::1 and more.
bool is_special(const ip::address_v6& address) {
  static const Cidr global_unicast = network("2000::/3");
  static const std::array networks = {
      network("2001::/23"),      // protocol assignments
      network("2001:db8::/32"),  // documentation
      network("3fff::/20"),      // documentation
  };
  if (is_embedded_v4(address) || teredo().contains(address)) return false;
  return !global_unicast.contains(address) || contains(networks, address);
}

ip::address_v4 v4_at(const V6& bytes, std::size_t offset, unsigned char flipped = 0) {
  ip::address_v4::bytes_type inside;
  for (std::size_t i = 0; i < inside.size(); ++i)
    inside[i] = static_cast<unsigned char>(bytes[offset + i] ^ flipped);
  return ip::address_v4(inside);
}

bool is_isatap(const V6& bytes) {
  const bool has_first = bytes[8] == 0x00 || bytes[8] == 0x02;
  return has_first && bytes[9] == 0x00 && bytes[10] == 0x5e && bytes[11] == 0xfe;
}

// All IPv4 addresses that a packet to `address` may reach or pass through.
std::vector<ip::address_v4> addresses_within(const ip::address_v6& address) {
  static const Cidr six_to_four = network("2002::/16");
  const V6 bytes = address.to_bytes();
  std::vector<ip::address_v4> inside;
  if (is_embedded_v4(address) || is_isatap(bytes)) inside.push_back(v4_at(bytes, 12));
  if (six_to_four.contains(address)) inside.push_back(v4_at(bytes, 2));
  if (teredo().contains(address)) {
    inside.push_back(v4_at(bytes, 4));         // the server
    inside.push_back(v4_at(bytes, 12, 0xff));  // the client, its bits flipped
  }
  return inside;
}

std::optional<ip::address> read_literal(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.pop_back();
  boost::system::error_code error;
  const ip::address address = ip::make_address(host, error);
  if (!error) return address;
  in_addr old_form{};
  if (::inet_aton(host.c_str(), &old_form) == 0) return std::nullopt;
  return ip::address_v4(ntohl(old_form.s_addr));
}

}  // namespace

bool is_public(const ip::address& address) { return EgressPolicy().permits(address); }

EgressPolicy::EgressPolicy(std::vector<Cidr> allowed, bool allows_http, std::string proxy)
    : allowed_(std::move(allowed)), allows_http_(allows_http), proxy_(std::move(proxy)) {}

bool EgressPolicy::is_allowed(const ip::address& address) const { return contains(allowed_, address); }

bool EgressPolicy::permits(const ip::address& address) const {
  if (is_allowed(address)) return true;
  if (address.is_v4()) return !is_special(address.to_v4());
  if (is_special(address.to_v6())) return false;
  return std::ranges::all_of(addresses_within(address.to_v6()),
                             [this](const ip::address_v4& inside) { return permits(inside); });
}

bool EgressPolicy::permits_literal(std::string host) const {
  const std::optional<ip::address> address = read_literal(std::move(host));
  return !address || permits(*address);
}

}  // namespace socialsync::deliver
