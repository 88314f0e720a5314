#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/limits.hpp"
#include "http/message.hpp"

namespace socialsync::http {

// Beast's parser, writing straight into a Request: read_request_line(), then read_fields(). A fault is the
// status to answer with, 0 when there is none; after one the parser is of no more use. Only the codec
// includes this, and nothing else includes Beast. The body is read without it: byte by byte, Beast 1.81's
// chunk reader trips over its own assertion.
class HeadParser final : private boost::beast::http::basic_parser<true> {
 public:
  // `request` is new, and outlives the parser, as `limits` does.
  HeadParser(Request& request, const Limits& limits);

  // `line` is whole, with its end.
  int read_request_line(std::string_view line);

  // `fields` is every field and the empty line.
  int read_fields(std::string_view fields);

  // After read_fields():
  using basic_parser::chunked;
  using basic_parser::keep_alive;
  bool expects_continue() const { return expects_continue_; }
  std::size_t content_length() const;  // at most the limit of a body; 0 when the head has none

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
