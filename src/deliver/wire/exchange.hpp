// A request to a receiver, and its reply.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socialsync::deliver {

// The limits of requests and connections to receivers.
struct SenderLimits {
  std::chrono::milliseconds connect_timeout{5'000};  // including DNS and TLS
  std::chrono::milliseconds total_timeout{15'000};
  std::size_t body_head_bytes_max = 4 * 1024;  // read from an answer; the rest is not read
  std::size_t head_bytes_max = 32 * 1024;      // all headers of an answer
  long connections_kept_max = 1024;            // idle ones; beyond that the oldest are closed
  std::size_t transfers_kept_max = 1024;       // libcurl handles kept for later requests
  std::chrono::seconds name_lifetime{30};      // time that a DNS result is kept
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
};

struct Request {
  std::string url{};
  std::string body{};   // the body of a POST
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

}  // namespace socialsync::deliver
