// A request to a receiver, its reply, and what the reply means for the delivery.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socialsync::deliver {

struct Request {
  std::string url{};
  std::string body{};   // of a POST
  bool is_get = false;  // else a POST
  bool wants_address = false;
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Why there is no answer. The names are those of webhook_delivery_attempts.error.
enum class SendError : std::uint8_t {
  none,             // there is an answer
  bad_url,          // not https, not a URL, or a header with a character that no header may hold
  name_not_found,   // DNS has no address, or does not answer
  address_refused,  // the address is private, and not allowed
  not_connected,    // refused, unreachable
  tls_failed,       // the handshake failed, or the certificate is not valid
  timed_out,
  connection_lost,  // closed or reset before the answer's head
  protocol_error,   // an answer that is not HTTP
};
std::string_view to_string(SendError error);

struct Reply {
  SendError error = SendError::none;
  int status = 0;         // 0: no answer
  std::string body_head;  // the beginning of the body, unchanged; the rest is not read
  std::optional<std::chrono::seconds> retry_after;  // from the header, seconds or a date
  std::chrono::microseconds took{0};
  std::string
      address;  // with the port, where wanted: connected to (the proxy's, if any); empty: never connected
  std::string detail;  // for people: the library's message for the error; no secret, no query string
};

enum class Verdict : std::uint8_t {
  delivered,  // 2xx
  retry,      // all others: no answer, redirects (which are not followed), 4xx, 5xx
  gone,       // 410: the receiver wants no more, its endpoint is to be disabled
};
Verdict verdict_of(const Reply& reply);

// webhook_delivery_attempts.error: empty when delivered, "http_status" for any other answer, the name of the
// SendError when there was no answer.
std::string_view error_of(const Reply& reply);

inline constexpr std::uint32_t attempts_max = 10;
// A longer Retry-After counts as this.
inline constexpr std::chrono::hours retry_after_max{10};
// The share of a delay that jitter adds at most.
inline constexpr double jitter_share = 0.1;

// The retry schedule: how long to wait after attempt number `attempt`, from 1 on, which got this reply.
// Nothing after the last attempt: the delivery is dead-lettered. `jitter`, random in [0, 1), only adds. A
// Retry-After with 429 or 503 may make the delay longer, never shorter.
std::optional<std::chrono::milliseconds> delay_after(std::uint32_t attempt, const Reply& reply,
                                                     double jitter);

// For operators: how to fix a failed delivery, by webhook_delivery_attempts.error and http_status (0: none).
// Empty when it was delivered.
std::string_view advice_on(std::string_view error, int http_status);

}  // namespace socialsync::deliver
