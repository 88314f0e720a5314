// A request and its answer, as plain values: all that the rest of the program knows of HTTP.
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

// A JSON parser may read this far past the end of Request::body: the string has at least so much spare
// capacity.
constexpr std::size_t body_padding_bytes = 64;

struct Request {
  Method method = Method::other;
  std::string method_name;  // as sent: "GET"
  std::string path;         // as sent, not percent-decoded; never empty; without the query
  std::string query;        // what follows '?', as sent; see query_parameter()
  Headers headers;          // trailers of a chunked body are not among them
  std::string body;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // no such field when empty
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides those that frame the message
};

// {"error":{"code":"…","message":"…"}}: the body of every answer that is not a success. `code` is snake_case;
// `message` is for people and holds no secret, SQL or payload.
Response error_response(int status, std::string_view code, std::string_view message);

// The first parameter of that name in a raw query string ("a=1&b=2"), decoded: '+' is a space and %XX a byte.
// A '%' that two hex digits do not follow stands for itself, as browsers have it. A parameter without '=' is
// an empty string. Nothing when there is none.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

// The answers that the server gives by itself: 400, 408, 413, 417, 431, 500, 501, 503 (with Retry-After).
Response protocol_error(int status);

// The whole answer in one buffer. `head_only` (the answer to HEAD) leaves the body out and its length in.
// Throws std::invalid_argument when a header holds a control character: it would forge other headers.
std::string serialize(const Response& response, bool keep_alive, bool head_only);

// "Not Found" for 404; "Unknown" for what is not in the table.
std::string_view reason_phrase(int status);

}  // namespace socialsync::http
