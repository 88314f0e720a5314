#include "deliver/answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace socialsync::deliver {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<milliseconds, attempts_max - 1> delays = {
    seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)};

// With other statuses Retry-After means something else: with 3xx, when to follow.
bool may_ask_to_wait(int status) { return status == 429 || status == 503; }

constexpr std::pair<std::string_view, std::string_view> advice_by_error[] = {
    {"bad_url",
     "the URL must be https://, or http:// where SOCIALSYNC_EGRESS_HTTP=1: socialsync endpoints set --url"},
    {"name_not_found", "DNS has no address for the host here: check for a typing error, or a private zone"},
    {"address_refused",
     "private addresses are refused: SOCIALSYNC_EGRESS_ALLOW names the networks that may be reached"},
    {"not_connected",
     "nothing listens there, or a firewall is in between: check host and port, from this machine"},
    {"tls_failed",
     "the certificate must be for this host, valid, sent with its whole chain, and of an authority that "
     "/etc/ssl/certs knows"},
    {"timed_out", "the receiver must accept within 5 s and answer within 15 s: answer first, work after"},
    {"connection_lost", "the receiver, or a proxy before it, closed the connection without an answer"},
    {"protocol_error", "the server there does not speak HTTP: check the port"},
};

std::string_view advice_on_status(int status) {
  if (status >= 300 && status <= 399)
    return "redirects are not followed: set the URL that this one redirects to";
  if (status == 401 || status == 403)
    return "the receiver refuses the signature, or wants a header: compare its secret with the endpoint's "
           "(socialsync endpoints rotate-secret shows a new one)";
  if (status == 404 || status == 405) return "the receiver has nothing for a POST at this path";
  if (status == 410) return "410: the receiver wants no more events, and its endpoint is disabled";
  if (status == 429) return "too many requests for the receiver: lower --per-second-max or --concurrent-max";
  if (status >= 500) return "the receiver failed: look into its log";
  return "only a status 2xx counts as delivered";
}

}  // namespace

Verdict verdict_of(const Reply& reply) {
  if (reply.error != SendError::none) return Verdict::retry;
  if (reply.status >= 200 && reply.status <= 299) return Verdict::delivered;
  return reply.status == 410 ? Verdict::gone : Verdict::retry;
}

std::string_view error_of(const Reply& reply) {
  if (reply.error != SendError::none) return to_string(reply.error);
  return verdict_of(reply) == Verdict::delivered ? "" : "http_status";
}

std::optional<milliseconds> delay_after(std::uint32_t attempt, const Reply& reply, double jitter) {
  if (attempt > delays.size()) return std::nullopt;
  milliseconds delay = delays[std::max(attempt, 1U) - 1];
  if (reply.retry_after && may_ask_to_wait(reply.status))
    delay = std::max<milliseconds>(delay, std::min<seconds>(*reply.retry_after, retry_after_max));
  const double added_ms = static_cast<double>(delay.count()) * jitter_share * jitter;
  return delay + milliseconds(static_cast<std::int64_t>(added_ms));
}

std::string_view advice_on(std::string_view error, int http_status) {
  if (error == "http_status") return advice_on_status(http_status);
  for (const auto& [name, advice] : advice_by_error)
    if (name == error) return advice;
  return {};
}

}  // namespace socialsync::deliver
