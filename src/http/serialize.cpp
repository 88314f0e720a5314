#include "http/serialize.hpp"

#include <algorithm>
#include <stdexcept>

namespace socialsync::http {
namespace {

// No answer of ours is a page: a browser that is led here shall not guess, keep or frame it.
constexpr std::string_view browser_headers =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n";

// RFC 9110 15.3.5, 15.4.5: these have no body, and no Content-Length that would announce one.
bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  if (std::ranges::any_of(name, is_control) || std::ranges::any_of(value, is_control)) {
    throw std::invalid_argument("an answer's header holds a control character");
  }
  out.append(name).append(": ").append(value).append("\r\n");
}

std::size_t size_estimate(const Response& response) {
  constexpr std::size_t status_line_and_framing = 160;
  std::size_t size =
      status_line_and_framing + browser_headers.size() + response.content_type.size() + response.body.size();
  for (const auto& [name, value] : response.headers) size += name.size() + value.size() + 4;
  return size;
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
  }
}

std::string serialize(const Response& response, bool keep_alive, bool head_only) {
  std::string out;
  out.reserve(size_estimate(response));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  const bool body_allowed = has_body(response.status);
  if (body_allowed) {
    if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
    append_field(out, "Content-Length", std::to_string(response.body.size()));
  }
  // Said both ways: HTTP/1.0 closes unless told otherwise, 1.1 the reverse.
  append_field(out, "Connection", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  out.append(browser_headers).append("\r\n");
  if (body_allowed && !head_only) out += response.body;
  return out;
}

}  // namespace socialsync::http
