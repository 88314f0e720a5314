#include "http/head_parser.hpp"

#include <boost/beast/http/error.hpp>

namespace socialsync::http {
namespace {

namespace beast_http = boost::beast::http;

std::string_view to_std(boost::beast::string_view text) { return {text.data(), text.size()}; }

Method to_method(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return Method::get;
    case beast_http::verb::head: return Method::head;
    case beast_http::verb::post: return Method::post;
    default: return Method::other;
  }
}

int status_of(const boost::beast::error_code& error) {
  if (error == beast_http::error::body_limit) return 413;
  if (error == beast_http::error::header_limit) return 431;
  return 400;
}

// RFC 9112 3.2.2: "GET http://host/path" is valid too, and means the path.
std::string_view without_authority(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == target.npos) return target;
  const std::size_t path_begin = target.find_first_of("/?", scheme_end + 3);
  return path_begin == target.npos ? std::string_view() : target.substr(path_begin);
}

void set_target(Request& request, std::string_view target) {
  target = without_authority(target);
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (request.path.empty()) request.path = "/";
  if (mark != target.npos) request.query = target.substr(mark + 1);
}

}  // namespace

HeadParser::HeadParser(Request& request, const Limits& limits)
    : request_(request), headers_max_(limits.headers_max) {
  header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  body_limit(limits.body_bytes_max);
  eager(false);
}

int HeadParser::read_request_line(std::string_view line) {
  error_code error;
  const std::size_t used = put({line.data(), line.size()}, error);
  // Beast returns need_more for a complete line, and also for an incomplete one.
  if (error == beast_http::error::need_more) return used == line.size() ? 0 : 400;
  return status_of(error);
}

int HeadParser::read_fields(std::string_view fields) {
  error_code error;
  put({fields.data(), fields.size()}, error);
  if (error) return status_of(error);
  return head_fault();
}

// Beast ignores a Transfer-Encoding other than "chunked", and accepts several Host fields. A proxy in front
// of us could then see the next request begin elsewhere (RFC 9112 3.2, 6.1, 6.3).
int HeadParser::head_fault() const {
  const bool is_coded = transfer_encodings_ > 0;
  if (is_coded && (version_ == 10 || basic_parser::content_length())) return 400;
  if (is_coded && (transfer_encodings_ > 1 || !is_only_chunked_)) return 501;
  if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) return 400;
  return expects_other_ ? 417 : 0;
}

std::size_t HeadParser::content_length() const {
  return static_cast<std::size_t>(basic_parser::content_length().value_or(0));
}

void HeadParser::on_request_impl(verb verb, string_view method, string_view target, int version,
                                 error_code&) {
  request_.method = to_method(verb);
  request_.method_name = to_std(method);
  set_target(request_, to_std(target));
  version_ = version;
}

void HeadParser::on_field_impl(field field, string_view name, string_view value, error_code& error) {
  if (request_.headers.size() == headers_max_) {
    error = beast_http::error::header_limit;
    return;
  }
  request_.headers.add(to_std(name), to_std(value));
  note_field(field, to_std(value));
}

void HeadParser::note_field(field field, std::string_view value) {
  if (field == field::host) ++hosts_;
  if (field == field::transfer_encoding) {
    ++transfer_encodings_;
    is_only_chunked_ = equal_ignoring_case(value, "chunked");
  }
  // RFC 9110 10.1.1: Expect is ignored in HTTP/1.0.
  if (field == field::expect && version_ == 11) {
    expects_continue_ = equal_ignoring_case(value, "100-continue");
    expects_other_ = expects_other_ || !expects_continue_;
  }
}

}  // namespace socialsync::http
