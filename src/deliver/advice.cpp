#include "deliver/advice.hpp"

#include <utility>

namespace socialsync::deliver {
namespace {

constexpr std::pair<std::string_view, std::string_view> by_error[] = {
    {"bad_url",
     "the URL must be https://, or http:// where SOCIALSYNC_EGRESS_HTTP=1: socialsync endpoints set --url"},
    {"name_not_found", "DNS has no address for the host here: look for a typing error, or a private zone"},
    {"address_refused",
     "private addresses are refused: SOCIALSYNC_EGRESS_ALLOW names the networks that may be reached"},
    {"not_connected",
     "nothing listens there, or a firewall is in between: the receiver's host and port, from this machine"},
    {"tls_failed",
     "the certificate must be for this host, valid, sent with its whole chain, and of an authority that "
     "/etc/ssl/certs knows"},
    {"timed_out",
     "the receiver must accept within 5 s and answer within 15 s: it should answer first, and work after"},
    {"connection_lost", "the receiver, or a proxy before it, closed the connection without an answer"},
    {"protocol_error", "what answers there is no HTTP server: look at the port"},
};

std::string_view advice_on_status(int status) {
  if (status >= 300 && status <= 399) return "redirects are not followed: give the URL that it leads to";
  if (status == 401 || status == 403)
    return "the receiver refuses the signature, or wants a header: compare its secret with the endpoint's "
           "(socialsync endpoints rotate-secret shows a new one)";
  if (status == 404 || status == 405) return "the receiver has nothing for a POST at this path";
  if (status == 410) return "410 says that it wants no more: its endpoint is switched off";
  if (status == 429) return "it is too much for the receiver: --per-second-max and --concurrent-max";
  if (status >= 500) return "the receiver has failed: its log says why";
  return "only 2xx means that it has it";
}

}  // namespace

std::string_view advice_on(std::string_view error, int http_status) {
  if (error == "http_status") return advice_on_status(http_status);
  for (const auto& [name, advice] : by_error)
    if (name == error) return advice;
  return {};
}

}  // namespace socialsync::deliver
