// The wall in front of receivers: tenants choose URLs, and may not choose what is inside the operator's
// network.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/cidr.hpp"

namespace socialsync::deliver {

// Whether an address belongs to somebody on the public Internet. Not those that IANA's special-purpose
// registries (RFC 6890) keep for private networks, this host, links, carriers, tests, documentation and
// multicast, and not 168.63.129.16, where Azure talks to its machines. An IPv4 address within an IPv6 one
// (mapped, compatible, NAT64, 6to4, both of Teredo, ISATAP) must be public as well.
bool is_public(const boost::asio::ip::address& address);

// Where deliveries may go.
class EgressPolicy {
 public:
  EgressPolicy() = default;
  // `proxy` is a URL as libcurl knows them, or empty: then all goes there, and it alone sees the addresses
  // that names have. What it may reach is for its own configuration to say.
  EgressPolicy(std::vector<net::Cidr> allowed, bool allows_http, std::string proxy);

  // Whether a delivery may connect to the address: it is public, or an allowed network contains it. One that
  // contains an IPv4 address contains its mapped form, ::ffff:10.0.0.1, and opens what is translated to it.
  bool permits(const boost::asio::ip::address& address) const;

  // The same for the host of a URL; true for a name. Reads what inet_aton reads: 0x7f.1, 2130706433.
  bool permits_literal(std::string host) const;

  bool allows_http() const { return allows_http_; }
  const std::string& proxy() const { return proxy_; }

 private:
  bool is_allowed(const boost::asio::ip::address& address) const;

  std::vector<net::Cidr> allowed_;
  bool allows_http_ = false;
  std::string proxy_;
};

}  // namespace socialsync::deliver
