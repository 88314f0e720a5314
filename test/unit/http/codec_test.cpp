#include "http/codec.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "support/http_transcript.hpp"

namespace socialsync::http {
namespace {

using test::transcript;

// Returns the events, after checking that they are the same for every split of the bytes.
std::string read(std::string_view bytes, const Limits& limits = {}) {
  const std::string expected = transcript(bytes, limits, test::whole());
  CHECK(transcript(bytes, limits, test::one_by_one()) == expected);
  for (std::size_t at = 1; at < bytes.size() && bytes.size() < 2000; ++at) {
    if (transcript(bytes, limits, test::cut_at(at)) != expected) FAIL_CHECK("cut at " << at << ": " << bytes);
  }
  return expected;
}

TEST_CASE("codec: a request without a body") {
  CHECK(read("GET /healthz?a=1&b=2 HTTP/1.1\r\nHost: x\r\nAccept:  */* \r\n\r\n") ==
        "GET /healthz ? a=1&b=2\nHost: x\nAccept: */*\n(keep alive)\nbody: \n");
}

TEST_CASE("codec: a body of known length") {
  CHECK(read("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello") ==
        "POST /in ? \nHost: x\nContent-Length: 5\n(keep alive)\nbody: hello\n");
}

TEST_CASE("codec: an empty body of known length") {
  CHECK(read("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n") ==
        "POST /in ? \nHost: x\nContent-Length: 0\n(keep alive)\nbody: \n");
}

TEST_CASE("codec: a chunked body, with extensions and trailers that are no headers") {
  CHECK(
      read(
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
          "5;name=\"value\"\r\nhello\r\n0006\r\n world\r\n0\r\nX-Checksum: 1\r\nConnection: close\r\n\r\n") ==
      "POST / ? \nHost: x\nTransfer-Encoding: Chunked\n(keep alive)\nbody: hello world\n");
}

TEST_CASE("codec: requests that follow each other unasked come out in order") {
  CHECK(read("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
             "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
             "POST /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nc"
             "GET /4 HTTP/1.1\r\nHost: x\r\n\r\nGE") ==
        "POST /1 ? \nHost: x\nContent-Length: 1\n(keep alive)\nbody: a\n"
        "POST /2 ? \nHost: x\nTransfer-Encoding: chunked\n(keep alive)\nbody: b\n"
        "POST /3 ? \nHost: x\nContent-Length: 1\n(keep alive)\nbody: c\n"
        "GET /4 ? \nHost: x\n(keep alive)\nbody: \nunfinished\n");
}

TEST_CASE("codec: who keeps the connection") {
  CHECK(read("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") ==
        "GET / ? \nHost: x\nConnection: close\nbody: \n");
  CHECK(read("GET / HTTP/1.0\r\n\r\n") == "GET / ? \nbody: \n");
  CHECK(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") ==
        "GET / ? \nConnection: Keep-Alive\n(keep alive)\nbody: \n");
}

TEST_CASE("codec: empty lines before a request are passed over") {
  CHECK(read("\r\n\r\nGET / HTTP/1.0\r\n\r\n\r\n") == "GET / ? \nbody: \n");
}

TEST_CASE("codec: expectations") {
  CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\na") ==
        "POST / ? \nHost: x\nContent-Length: 1\nExpect: 100-Continue\n(keep alive)\n(expects "
        "continue)\nbody: a\n");
  CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n") == "error 417\n");
  CHECK(read("GET / HTTP/1.0\r\nExpect: miracles\r\n\r\n") == "GET / ? \nExpect: miracles\nbody: \n");
}

TEST_CASE("codec: targets") {
  CHECK(read("GET http://x.example/a/b?c HTTP/1.0\r\n\r\n") == "GET /a/b ? c\nbody: \n");
  CHECK(read("GET http://x.example HTTP/1.0\r\n\r\n") == "GET / ? \nbody: \n");
  CHECK(read("GET http://x.example?c HTTP/1.0\r\n\r\n") == "GET / ? c\nbody: \n");
  CHECK(read("GET ?c HTTP/1.0\r\n\r\n") == "GET / ? c\nbody: \n");
  CHECK(read("OPTIONS * HTTP/1.0\r\n\r\n") == "OPTIONS * ? \nbody: \n");
  CHECK(read("GET /a?b=http://c/?d HTTP/1.0\r\n\r\n") == "GET /a ? b=http://c/?d\nbody: \n");
}

TEST_CASE("codec: methods") {
  const Limits limits;
  const auto method_of = [&limits](std::string_view name) {
    Codec codec(limits);
    const std::string text = std::string(name) + " / HTTP/1.0\r\n\r\n";
    text.copy(codec.space().data(), text.size());
    codec.received(text.size());
    CHECK(codec.next() == Codec::Event::head);
    return codec.request().method;
  };
  CHECK(method_of("GET") == Method::get);
  CHECK(method_of("HEAD") == Method::head);
  CHECK(method_of("POST") == Method::post);
  CHECK(method_of("PUT") == Method::other);
  CHECK(method_of("get") == Method::other);
  CHECK(method_of("BREW") == Method::other);
}

TEST_CASE("codec: what is not HTTP is 400") {
  for (const std::string_view bytes : {
           "\x16\x03\x01\x02",                                 // a TLS greeting: known by its first byte
           "hello\r\n",                                        // known at the end of the line
           "GET / HTTP\r\n",                                   //
           "GET / HTTP/1.1 \r\n",                              //
           "GET / HTTP/2.0\r\n",                               //
           "GET  / HTTP/1.1\r\n",                              //
           "GET / HTTP/1.1\nHost: x\r\n",                      // bare line feed
           "GET / HTTP/1.0\r\nA: b\n",                         //
           "GET / HTTP/1.0\r\nno colon\r\n\r\n",               //
           "GET / HTTP/1.0\r\nSpace : before colon\r\n\r\n",   //
           "GET / HTTP/1.0\r\nA: b\rc\r\n\r\n",                // bare carriage return
           "GET / HTTP/1.1\r\n\r\n",                           // no Host
           "GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n",     // two of them
           "\r\r\nGET / HTTP/1.0\r\n\r\n",                     //
           "POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\n",    //
           "POST / HTTP/1.0\r\nContent-Length: 1, 2\r\n\r\n",  //
           "POST / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
       }) {
    CHECK_MESSAGE(read(bytes) == "error 400\n", bytes);
  }
}

TEST_CASE("codec: a stream that two readers would cut in two ways is refused") {
  const auto post = [](std::string_view fields) {
    return read("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n0\r\n\r\n");
  };
  CHECK(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == "error 400\n");
  CHECK(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") == "error 400\n");
  CHECK(post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n") == "error 400\n");
  CHECK(post("Content-Length: 5\r\nContent-Length: 6\r\n") == "error 400\n");
  CHECK(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == "error 400\n");
  CHECK(post("Transfer-Encoding: gzip\r\n") == "error 501\n");
  CHECK(post("Transfer-Encoding: gzip, chunked\r\n") == "error 501\n");
  CHECK(post("Transfer-Encoding: chunked, identity\r\n") == "error 501\n");
  CHECK(post("Transfer-Encoding: \r\n") == "error 501\n");
  CHECK(post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n") == "error 501\n");
  CHECK(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == "error 400\n");
}

TEST_CASE("codec: chunks that are none are 400") {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string seen = "POST / ? \nHost: x\nTransfer-Encoding: chunked\n(keep alive)\n";
  for (const std::string_view body : {"x\r\n", "\r\n0\r\n\r\n", "-1\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
                                      "1 \x01\r\na\r\n0\r\n\r\n", "5\nhello"}) {
    CHECK_MESSAGE(read(head + std::string(body)) == seen + "error 400\n", body);
  }
}

TEST_CASE("codec: limits of the head") {
  Limits limits;
  limits.header_bytes_max = 64;
  limits.headers_max = 3;
  const auto filled = [](std::size_t size) {
    const std::string head = "GET / HTTP/1.0\r\nA: ";
    return head + std::string(size - head.size() - 4, 'a') + "\r\n\r\n";
  };
  CHECK(read(filled(64), limits).starts_with("GET / ? \nA: aaa"));
  CHECK(read(filled(65), limits) == "error 431\n");
  CHECK(read("GET /" + std::string(64, 'a'), limits) == "error 431\n");
  CHECK(read("GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits).ends_with("body: \n"));
  CHECK(read("GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", limits) == "error 431\n");
}

TEST_CASE("codec: limits of the body") {
  Limits limits;
  limits.body_bytes_max = 5;
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  CHECK(read(head + "Content-Length: 5\r\n\r\nhello", limits).ends_with("body: hello\n"));
  CHECK(read(head + "Content-Length: 6\r\n\r\n", limits) == "error 413\n");
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(read(chunked + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", limits).ends_with("body: hello\n"));
  CHECK(read(chunked + "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", limits).ends_with("error 413\n"));
  CHECK(read(chunked + "ffffffffffffffff\r\n", limits).ends_with("error 413\n"));
  CHECK(read(chunked + "10000000000000000\r\n", limits).ends_with("error 413\n"));
}

TEST_CASE("codec: limits of a chunk's line and of the trailers") {
  Limits limits;
  limits.header_bytes_max = 128;
  limits.chunk_line_bytes_max = 16;
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(read(head + "1;a=3456789abc\r\nc\r\n0\r\n\r\n", limits).ends_with("body: c\n"));
  CHECK(read(head + "1;a=3456789abcd\r\nc\r\n0\r\n\r\n", limits).ends_with("error 431\n"));
  CHECK(read(head + "0\r\nA: " + std::string(121, 'b') + "\r\n\r\n", limits).ends_with("body: \n"));
  CHECK(read(head + "0\r\nA: " + std::string(122, 'b') + "\r\n\r\n", limits).ends_with("error 431\n"));
}

TEST_CASE("codec: a large body arrives through a small buffer") {
  const std::string body(3'000'000, 'b');
  const std::string bytes = "POST / HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                            body + "\r\nGET /next";
  const std::string expected = "POST / ? \nContent-Length: 3000000\nbody: " + body + "\nunfinished\n";
  CHECK((transcript(bytes, {}, test::whole()) == expected));
  CHECK((transcript(bytes, {}, [](std::size_t left) { return std::min<std::size_t>(left, 1461); }) ==
         expected));
}

TEST_CASE("codec: what is known of the body that is still to come") {
  const Limits limits;
  const auto left = [&limits](std::string_view text) {
    Codec codec(limits);
    text.copy(codec.space().data(), text.size());
    codec.received(text.size());
    CHECK(codec.next() == Codec::Event::head);
    return codec.body_bytes_left();
  };
  CHECK(left("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(left("POST / HTTP/1.0\r\nContent-Length: 7\r\n\r\nabc") == 7);
  CHECK(left("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") == std::nullopt);
}

TEST_CASE("codec: a request has not begun before its first byte") {
  const Limits limits;
  Codec codec(limits);
  CHECK_FALSE(codec.started());
  codec.space()[0] = 'G';
  codec.received(1);
  CHECK(codec.next() == Codec::Event::needs_more);
  CHECK(codec.started());
}

}  // namespace
}  // namespace socialsync::http
