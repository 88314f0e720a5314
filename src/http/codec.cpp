#include "http/codec.hpp"

#include <algorithm>
#include <utility>

#include "http/chunk_reader.hpp"
#include "http/head_parser.hpp"
#include "http/inbox.hpp"

namespace socialsync::http {
namespace {

// RFC 9110 5.6.2. A byte that cannot begin a method is another protocol: refused at once, before a line ends.
bool is_token_character(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

class Codec::State {
 public:
  explicit State(const Limits& limits) : limits_(limits) { begin_request(); }

  std::span<char> space();
  Event next();
  Request take_request();
  std::optional<std::size_t> body_bytes_left() const;

  void received(std::size_t count) { inbox_.filled(count); }
  bool started() const { return stage_ != Stage::head || !inbox_.pending().empty(); }
  const Request& request() const { return request_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return parser_->expects_continue(); }
  int error_status() const { return error_status_; }

 private:
  enum class Stage : std::uint8_t { head, body, complete, failed };

  void begin_request();
  Event read_head();
  void skip_empty_lines();
  Event end_line(std::string_view head);
  Event end_request_line(std::string_view line);
  Event end_head(std::string_view fields);
  Event read_body();
  bool read_plain_body();
  bool read_chunks();
  Event fail(int status);

  const Limits& limits_;
  Inbox inbox_;
  Request request_;
  std::optional<HeadParser> parser_;
  std::optional<ChunkReader> chunks_;  // for a chunked body
  std::size_t content_length_ = 0;     // for any other body
  Stage stage_ = Stage::head;
  bool keep_alive_ = false;
  int error_status_ = 0;
  // In the head, counted from its first byte:
  std::size_t scanned_ = 0;       // no line end between line_begin_ and here
  std::size_t line_begin_ = 0;    // first byte of the incomplete line
  std::size_t fields_begin_ = 0;  // 0 until the request line has been read
};

void Codec::State::begin_request() {
  request_ = {};
  parser_.emplace(request_, limits_);
  chunks_.reset();
  stage_ = Stage::head;
  scanned_ = 0;
  line_begin_ = 0;
  fields_begin_ = 0;
}

std::span<char> Codec::State::space() {
  constexpr std::size_t large_body_read_bytes = 64 * 1024;
  const std::size_t body_left = stage_ == Stage::body ? body_bytes_left().value_or(large_body_read_bytes) : 0;
  return inbox_.space(std::min(body_left, large_body_read_bytes));
}

std::optional<std::size_t> Codec::State::body_bytes_left() const {
  return chunks_ ? std::nullopt : std::optional(content_length_ - request_.body.size());
}

Codec::Event Codec::State::next() {
  if (stage_ == Stage::head) return read_head();
  if (stage_ == Stage::body) return read_body();
  return stage_ == Stage::complete ? Event::request : Event::error;
}

// The parser gets whole parts only, the request line and then all fields: with less, its errors would depend
// on how the bytes arrive, and it would exceed its own limit.
Codec::Event Codec::State::read_head() {
  if (fields_begin_ == 0) skip_empty_lines();
  const std::string_view pending = inbox_.pending();
  if (pending.empty() || pending == "\r") return Event::needs_more;
  if (!is_token_character(pending.front())) return fail(400);
  const std::string_view head = pending.substr(0, limits_.header_bytes_max);
  Event event = Event::needs_more;
  while (event == Event::needs_more && scanned_ < head.size()) {
    const std::size_t end = head.find('\n', scanned_);
    scanned_ = end == head.npos ? head.size() : end + 1;
    if (end != head.npos) event = end_line(head);
  }
  const bool too_long = event == Event::needs_more && head.size() == limits_.header_bytes_max;
  return too_long ? fail(431) : event;
}

// RFC 9112 2.2: empty lines before a request are ignored.
void Codec::State::skip_empty_lines() {
  while (inbox_.pending().starts_with("\r\n")) inbox_.consume(2);
}

// A line has ended at `scanned_`.
Codec::Event Codec::State::end_line(std::string_view head) {
  const std::string_view line = head.substr(line_begin_, scanned_ - line_begin_);
  if (!line.ends_with("\r\n")) return fail(400);
  line_begin_ = scanned_;
  if (fields_begin_ == 0) return end_request_line(line);
  const bool is_last = line.size() == 2;
  return is_last ? end_head(head.substr(fields_begin_, scanned_ - fields_begin_)) : Event::needs_more;
}

Codec::Event Codec::State::end_request_line(std::string_view line) {
  const int fault = parser_->read_request_line(line);
  if (fault != 0) return fail(fault);
  fields_begin_ = line.size();
  return Event::needs_more;
}

Codec::Event Codec::State::end_head(std::string_view fields) {
  constexpr std::size_t usual_fields = 16;
  request_.headers.reserve(fields.size(), usual_fields);
  const int fault = parser_->read_fields(fields);
  if (fault != 0) return fail(fault);
  inbox_.consume(scanned_);
  keep_alive_ = parser_->keep_alive();
  if (parser_->chunked()) chunks_.emplace(limits_);
  content_length_ = parser_->content_length();
  request_.body.reserve(content_length_ + body_padding_bytes);
  stage_ = Stage::body;
  return Event::head;
}

Codec::Event Codec::State::read_body() {
  const bool is_complete = chunks_ ? read_chunks() : read_plain_body();
  if (chunks_ && chunks_->fault() != 0) return fail(chunks_->fault());
  if (!is_complete) return Event::needs_more;
  request_.body.reserve(request_.body.size() + body_padding_bytes);
  stage_ = Stage::complete;
  return Event::request;
}

bool Codec::State::read_plain_body() {
  const std::string_view bytes = inbox_.pending().substr(0, content_length_ - request_.body.size());
  request_.body.append(bytes);
  inbox_.consume(bytes.size());
  return request_.body.size() == content_length_;
}

bool Codec::State::read_chunks() {
  inbox_.consume(chunks_->read(inbox_.pending(), request_.body));
  return chunks_->is_done();
}

Request Codec::State::take_request() {
  Request request = std::move(request_);
  begin_request();
  return request;
}

Codec::Event Codec::State::fail(int status) {
  stage_ = Stage::failed;
  error_status_ = status;
  return Event::error;
}

Codec::Codec(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
Codec::~Codec() = default;

std::span<char> Codec::space() { return state_->space(); }
void Codec::received(std::size_t count) { state_->received(count); }
Codec::Event Codec::next() { return state_->next(); }
bool Codec::started() const { return state_->started(); }
const Request& Codec::request() const { return state_->request(); }
bool Codec::keep_alive() const { return state_->keep_alive(); }
bool Codec::expects_continue() const { return state_->expects_continue(); }
std::optional<std::size_t> Codec::body_bytes_left() const { return state_->body_bytes_left(); }
Request Codec::take_request() { return state_->take_request(); }
int Codec::error_status() const { return state_->error_status(); }

}  // namespace socialsync::http
