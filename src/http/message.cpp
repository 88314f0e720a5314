#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "base/text.hpp"

namespace socialsync::http {
namespace {

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::array<std::uint8_t, 1> byte{};
    if (text[i] == '%' && decode_hex(text.substr(i + 1, 2), byte)) {
      out.push_back(static_cast<char>(byte[0]));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// Returns the part of `text` before the first `separator`, and removes it and the separator from `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view head = text.substr(0, text.find(separator));
  text.remove_prefix(head.size() < text.size() ? head.size() + 1 : head.size());
  return head;
}

// No answer is a page: a browser must not sniff, cache or frame one.
constexpr std::string_view browser_headers =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n";

// RFC 9110 15.3.5, 15.4.5: these have no body and no Content-Length.
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

Response error_response(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = R"({"error":{"code":)";
  append_json_string(response.body, code);
  response.body += R"(,"message":)";
  append_json_string(response.body, message);
  response.body += "}}";
  return response;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    const std::string_view raw_name = take_until(value, '=');
    if (decode(raw_name) == name) return decode(value);
  }
  return std::nullopt;
}

Response protocol_error(int status) {
  switch (status) {
    case 408: return error_response(408, "request_timeout", "the request did not arrive in time");
    case 413: return error_response(413, "body_too_large", "the body is larger than this server accepts");
    case 417: return error_response(417, "expectation_failed", "the only expectation known is 100-continue");
    case 431: return error_response(431, "headers_too_large", "the headers are too many or too large");
    case 500: return error_response(500, "internal", "the request could not be handled");
    case 501: return error_response(501, "unknown_transfer_encoding", "the only one known is chunked");
    case 503: break;
    default: return error_response(400, "bad_request", "the request is not valid HTTP");
  }
  Response response = error_response(503, "overloaded", "the server has no room for another request");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

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
  // Always sent: HTTP/1.0 closes by default, HTTP/1.1 keeps the connection.
  append_field(out, "Connection", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  out.append(browser_headers).append("\r\n");
  if (body_allowed && !head_only) out += response.body;
  return out;
}

}  // namespace socialsync::http
