// A request and its answer as plain values. The rest of the program sees no more of HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/headers.hpp"

namespace socialsync::http {

enum class Method : std::uint8_t { get, head, post, other };

// The spare capacity behind Request::body, in bytes: a JSON parser may read this far past its end.
constexpr std::size_t body_padding_bytes = 64;

struct Request {
  Method method = Method::other;
  std::string method_name;  // as sent: "GET"
  std::string path;         // as sent, not percent-decoded; never empty; without the query
  std::string query;        // the part after '?', as sent; see query_parameter()
  Headers headers;          // without the trailers of a chunked body
  std::string body;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no Content-Type
  std::string body;
  std::vector<std::pair<std::string, std::string>>
      headers;  // besides Content-Type, Content-Length and Connection
};

// Returns {"error":{"code":"…","message":"…"}}, the body of every error. `code` is snake_case; `message` is
// for people and holds no secret, SQL or payload.
Response error_response(int status, std::string_view code, std::string_view message);

// Returns the first parameter of that name in a raw query string ("a=1&b=2"), decoded: '+' is a space, %XX a
// byte; a '%' without two hex digits is kept, as in browsers. A parameter without '=' is an empty string.
// Returns nothing when the parameter is absent.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

// Returns the server's own answer for 400, 408, 413, 417, 431, 500, 501 or 503 (with Retry-After).
Response protocol_error(int status);

// Returns the whole answer in one buffer. `head_only` (the answer to HEAD) omits the body and keeps its
// length. Throws std::invalid_argument for a control character in a header, which could forge other headers.
std::string serialize(const Response& response, bool keep_alive, bool head_only);

// Returns "Not Found" for 404; "Unknown" for a status that is not in the table.
std::string_view reason_phrase(int status);

}  // namespace socialsync::http
