#include "deliver/handshake.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace socialsync::deliver;

namespace {

Reply reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body_head = std::move(body);
  return reply;
}

}  // namespace

TEST_CASE("handshake: a challenge is ten digits that fit a signed 32-bit number") {
  for (const std::uint64_t random :
       {std::uint64_t{0}, std::uint64_t{1'147'483'647}, std::uint64_t{1'147'483'648}, ~std::uint64_t{0}}) {
    const std::string challenge = make_challenge(random);
    CHECK(challenge.size() == 10);
    CHECK(std::ranges::all_of(challenge, [](char c) { return c >= '0' && c <= '9'; }));
    CHECK(challenge <= "2147483647");
  }
  CHECK(make_challenge(0) == "1000000000");
  CHECK(make_challenge(1'147'483'647) == "2147483647");
  CHECK(make_challenge(1) != make_challenge(2));
}

TEST_CASE("handshake: Meta's query, after the URL's own query") {
  const Request request =
      handshake_request("https://bot.example/hook", "a b&c=é", "1158201444", {{"X-Key", "k"}});
  CHECK(request.is_get);
  CHECK(request.url ==
        "https://bot.example/"
        "hook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a%20b%26c%3D%C3%A9");
  CHECK(request.headers.size() == 1);
  CHECK(request.body.empty());
  CHECK(handshake_request("https://bot.example/?a=1", "t", "1", {})
            .url.starts_with("https://bot.example/?a=1&hub.mode=subscribe&"));
}

TEST_CASE("handshake: only 200 with exactly the challenge passes") {
  CHECK(has_passed(reply(200, "1158201444"), "1158201444"));
  CHECK(!has_passed(reply(200, "1158201444"), "1158201445"));
  CHECK(!has_passed(reply(201, "1158201444"), "1158201444"));
  CHECK(!has_passed(reply(200, "1158201444\n"), "1158201444"));
  CHECK(!has_passed(reply(200, ""), "1158201444"));
  Reply late = reply(200, "1158201444");
  late.error = SendError::timed_out;
  CHECK(!has_passed(late, "1158201444"));
}
