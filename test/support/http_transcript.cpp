#include "support/http_transcript.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

#include "http/codec.hpp"

namespace socialsync::test {
namespace {

using http::Codec;
using http::Limits;
using http::Request;

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

std::size_t text_bytes(const Request& request) {
  std::size_t bytes = request.method_name.size() + request.path.size() + request.query.size();
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    bytes += request.headers.name(i).size() + request.headers.value(i).size();
  }
  return bytes;
}

void check(const Request& request, const Limits& limits) {
  require(request.body.size() <= limits.body_bytes_max, "body beyond its limit");
  require(request.body.capacity() - request.body.size() >= http::body_padding_bytes, "body without padding");
  require(request.headers.size() <= limits.headers_max, "more headers than allowed");
  require(text_bytes(request) <= limits.header_bytes_max, "head beyond its limit");
  require(!request.path.empty(), "no path");
}

void append_head(std::string& out, const Codec& codec) {
  const Request& request = codec.request();
  require(request.body.empty(), "body before head");
  out += request.method_name + " " + request.path + " ? " + request.query + "\n";
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    out.append(request.headers.name(i)).append(": ").append(request.headers.value(i)).append("\n");
  }
  if (codec.keep_alive()) out += "(keep alive)\n";
  if (codec.expects_continue()) out += "(expects continue)\n";
}

// False after an error.
bool drain(Codec& codec, const Limits& limits, std::string& out) {
  for (;;) {
    const Codec::Event event = codec.next();
    if (event == Codec::Event::needs_more) return true;
    if (event == Codec::Event::error) {
      out += "error " + std::to_string(codec.error_status()) + "\n";
      return false;
    }
    if (event == Codec::Event::head) {
      append_head(out, codec);
    } else {
      const Request request = codec.take_request();
      check(request, limits);
      out += "body: " + request.body + "\n";
    }
  }
}

}  // namespace

NextPiece whole() {
  return [](std::size_t left) { return left; };
}

NextPiece one_by_one() {
  return [](std::size_t) { return std::size_t{1}; };
}

NextPiece cut_at(std::size_t first) {
  return [first, is_first = true](std::size_t left) mutable {
    return std::exchange(is_first, false) && first > 0 ? std::min(first, left) : left;
  };
}

std::string transcript(std::string_view bytes, const Limits& limits, const NextPiece& next_piece) {
  Codec codec(limits);
  std::string out;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, next_piece(bytes.size()));
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      const std::span<char> space = codec.space();
      require(!space.empty(), "no room to read into");
      const std::size_t count = std::min(space.size(), piece.size());
      std::memcpy(space.data(), piece.data(), count);
      codec.received(count);
      piece.remove_prefix(count);
      if (!drain(codec, limits, out)) return out;
    }
  }
  out += codec.started() ? "unfinished\n" : "";
  return out;
}

}  // namespace socialsync::test
