#include "config/egress.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/core.h>

#include "base/text.hpp"
#include "net/cidr.hpp"

namespace socialsync::config {
namespace {

constexpr const char* allow_name = "SOCIALSYNC_EGRESS_ALLOW";
constexpr const char* proxy_name = "SOCIALSYNC_EGRESS_PROXY";

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// SCHEME://[USER:PASSWORD@]HOST[:PORT][/]. What the rest must be, libcurl says when it is used.
bool is_proxy_url(std::string_view url) {
  constexpr std::array<std::string_view, 3> schemes = {"http://", "https://", "socks5h://"};
  const auto scheme = std::ranges::find_if(schemes, [&](auto prefix) { return url.starts_with(prefix); });
  if (scheme == schemes.end() || !is_printable(url)) return false;
  url.remove_prefix(scheme->size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t at = url.rfind('@');
  const std::string_view host = at == std::string_view::npos ? url : url.substr(at + 1);
  return !host.empty() && !host.starts_with(':') && host.find_first_of("/?#") == std::string_view::npos;
}

}  // namespace

void read_egress(const Lookup& lookup, Egress& egress, std::vector<Problem>& problems) {
  egress.allowed = split_list(lookup(allow_name).value_or(""));
  for (const std::string& text : egress.allowed) {
    const auto cidr = net::Cidr::parse(text);
    if (cidr.has_error())
      problems.push_back({allow_name, fmt::format("{} {}", text, net::to_string(cidr.error()))});
  }
  egress.proxy = lookup(proxy_name).value_or("");
  if (!egress.proxy.empty() && !is_proxy_url(egress.proxy))
    problems.push_back({proxy_name,
                        "must be the URL of a proxy: http://HOST:PORT, https://HOST:PORT or "
                        "socks5h://HOST:PORT, with USER:PASSWORD@ before the host where it asks for one"});
}

}  // namespace socialsync::config
