#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "http/message.hpp"

namespace socialsync::http {
namespace {

const std::string browser_headers =
    "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; frame-ancestors "
    "'none'\r\n"
    "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\n";

TEST_CASE("serialize: an answer is one buffer") {
  Response response;
  response.body = "{}";
  response.headers = {{"Retry-After", "5"}, {"Allow", "GET, POST"}};
  CHECK(serialize(response, true, false) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
        "Retry-After: 5\r\nAllow: GET, POST\r\n" +
            browser_headers + "\r\n{}");
}

TEST_CASE("serialize: HEAD has the length and not the body") {
  Response response;
  response.content_type = "text/plain";
  response.body = "hello";
  CHECK(serialize(response, false, true) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n" +
            browser_headers + "\r\n");
}

TEST_CASE("serialize: a status that has no body announces none") {
  Response response;
  response.status = 204;
  response.body = "ignored";
  CHECK(serialize(response, true, false) ==
        "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n" + browser_headers + "\r\n");
}

TEST_CASE("serialize: no content type when it is empty") {
  Response response;
  response.content_type = "";
  CHECK(serialize(response, true, false) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n" + browser_headers + "\r\n");
}

TEST_CASE("serialize: a header cannot forge another") {
  Response response;
  response.headers = {{"Location", "/\r\nSet-Cookie: a=b"}};
  CHECK_THROWS_AS(serialize(response, true, false), std::invalid_argument);
  response.headers = {{"Loc\nation", "/"}};
  CHECK_THROWS_AS(serialize(response, true, false), std::invalid_argument);
  response.headers.clear();
  response.content_type = "text/plain\r\n";
  CHECK_THROWS_AS(serialize(response, true, false), std::invalid_argument);
}

TEST_CASE("serialize: a status without a name of its own") {
  Response response;
  response.status = 299;
  CHECK(serialize(response, true, false).starts_with("HTTP/1.1 299 Unknown\r\n"));
}

TEST_CASE("error_response: one shape, and always JSON") {
  const Response response = error_response(404, "not_found", "no \"such\" path\\\n\x01 é");
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/json");
  CHECK(response.body == R"({"error":{"code":"not_found","message":"no \"such\" path\\\u000a\u0001 é"}})");
}

TEST_CASE("protocol_error: each status the server answers by itself has words and a name") {
  for (const int status : {400, 408, 413, 417, 431, 500, 501, 503}) {
    CHECK(protocol_error(status).status == status);
    CHECK(reason_phrase(status) != "Unknown");
  }
  CHECK(serialize(protocol_error(503), false, false).find("\r\nRetry-After: 1\r\n") != std::string::npos);
}

}  // namespace
}  // namespace socialsync::http
