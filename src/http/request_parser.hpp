#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/limits.hpp"
#include "http/message.hpp"

namespace socialsync::http {

// Beast's parser, writing straight into a Request. One per message, in this order: read_request_line(),
// read_fields(), read_body() until is_done(). A fault is the status to answer with, 0 when there is none;
// after one the parser is of no more use. Only the codec includes this.
class RequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  // `request` is new, and outlives the parser, as `limits` does.
  RequestParser(Request& request, const Limits& limits);

  // `line` is whole, with its end.
  int read_request_line(std::string_view line);

  // `fields` is every field and the empty line.
  int read_fields(std::string_view fields);

  struct Progress {
    std::size_t bytes = 0;  // were read; those that were not are to be given again, with more behind them
    int fault = 0;
  };
  Progress read_body(std::string_view bytes);

  // After read_fields():
  using basic_parser::is_done;
  using basic_parser::keep_alive;
  bool expects_continue() const { return expects_continue_; }
  std::optional<std::uint64_t> body_bytes_left() const;  // nothing known of a chunked body

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;

  int head_fault() const;
  void note_field(field field, std::string_view value);

  void on_request_impl(verb verb, string_view method, string_view target, int version, error_code&) override;
  void on_field_impl(field field, string_view name, string_view value, error_code& error) override;
  void on_header_impl(error_code&) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override;
  void on_finish_impl(error_code&) override;
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
