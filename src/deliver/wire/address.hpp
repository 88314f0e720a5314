// SSRF protection: tenants choose URLs, which must not lead into the operator's network.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/cidr.hpp"

namespace socialsync::deliver {

// Returns whether an address is public. Not public are the addresses that IANA's special-purpose registries
// (RFC 6890) reserve for private networks, this host, links, carriers, tests, documentation and multicast,
// and 168.63.129.16, Azure's platform. An IPv4 address embedded in an IPv6 address (mapped, compatible,
// NAT64, 6to4, both of Teredo, ISATAP) must be public as well.
bool is_public(const boost::asio::ip::address& address);

// The egress policy: the addresses that deliveries may connect to.
class EgressPolicy {
 public:
  EgressPolicy() = default;
  // `proxy`: a URL in libcurl's form, or empty. With a proxy all connections go to it, and it resolves the
  // names: its own configuration limits what it reaches.
  EgressPolicy(std::vector<net::Cidr> allowed, bool allows_http, std::string proxy);

  // Returns whether a delivery may connect to the address: it is public, or an allowed network contains it.
  // An allowed IPv4 network also allows the mapped form, ::ffff:10.0.0.1, and addresses translated to it.
  bool permits(const boost::asio::ip::address& address) const;

  // The same for the host of a URL; true for a name. Accepts the forms of inet_aton: 0x7f.1, 2130706433.
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
