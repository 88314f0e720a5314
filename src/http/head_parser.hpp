#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/limits.hpp"
#include "http/message.hpp"

namespace socialsync::http {

// Parses a request's head with Beast directly into a Request: read_request_line(), then read_fields(). Both
// return the HTTP status to answer with, or 0; do not use the parser after a fault. Only the codec includes
// this header, and no other file includes Beast. The body is read without Beast: fed byte by byte, the chunk
// reader of Beast 1.81 fails its own assertion.
class HeadParser final : private boost::beast::http::basic_parser<true> {
 public:
  // `request` is empty. `request` and `limits` outlive the parser.
  HeadParser(Request& request, const Limits& limits);

  // `line` is complete, with its line end.
  int read_request_line(std::string_view line);

  // `fields` holds all fields and the empty line.
  int read_fields(std::string_view fields);

  // Valid after read_fields():
  using basic_parser::chunked;
  using basic_parser::keep_alive;
  bool expects_continue() const { return expects_continue_; }
  std::size_t content_length() const;  // at most body_bytes_max; 0 without Content-Length

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;

  int head_fault() const;
  void note_field(field field, std::string_view value);

  void on_request_impl(verb verb, string_view method, string_view target, int version, error_code&) override;
  void on_field_impl(field field, string_view name, string_view value, error_code& error) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}

  Request& request_;
  const std::size_t headers_max_;
  int version_ = 0;  // 10 or 11
  int hosts_ = 0;
  int transfer_encodings_ = 0;
  bool is_only_chunked_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
};

}  // namespace socialsync::http
