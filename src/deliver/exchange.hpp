// One request to a receiver, and what came of it.
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
  bad_url,          // not https, not a URL, or a header that no request may hold
  name_not_found,   // DNS has no address, or does not answer
  address_refused,  // the address is private, and not allowed
  not_connected,    // refused, unreachable
  tls_failed,       // no handshake, or a certificate that is not to be trusted
  timed_out,
  connection_lost,  // closed or reset before the answer's head
  protocol_error,   // an answer that is not HTTP
};
std::string_view to_string(SendError error);

struct Reply {
  SendError error = SendError::none;
  int status = 0;  // 0: no answer
  // The body's beginning, as it came: the rest is not read.
  std::string body_head;
  std::optional<std::chrono::seconds> retry_after;  // of the header, seconds or a date
  std::chrono::microseconds took{0};
  std::string address;  // where wanted: connected to, with the port: the proxy's where there is one; empty:
                        // never connected
  std::string detail;   // for a person: the library's words for the error; no secret, no query string
};

}  // namespace socialsync::deliver
