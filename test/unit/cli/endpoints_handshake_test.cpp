#include <doctest/doctest.h>

#include "cli/endpoints/handshake.hpp"

using namespace socialsync;
using cli::endpoints::handshake_fault;

TEST_CASE("handshake fault: the receiver's words without the token that it quotes, however it quotes it") {
  deliver::Reply reply;
  reply.status = 403;
  reply.body_head = "no: a&b, a%26b, a&b \x1b[2J" + std::string(5'000, 'x');
  const std::string fault = handshake_fault(reply, "a&b");
  CHECK(fault.find("a&b") == std::string::npos);
  CHECK(fault.find("a%26b") == std::string::npos);
  CHECK(fault.find('\x1b') == std::string::npos);
  CHECK(fault.find("403") != std::string::npos);
  CHECK(fault.size() < 800);
}

TEST_CASE("handshake fault: no answer at all") {
  deliver::Reply reply;
  reply.error = deliver::SendError::timed_out;
  reply.detail = "slow: t0ken";
  const std::string fault = handshake_fault(reply, "t0ken");
  CHECK(fault.find("timed_out") != std::string::npos);
  CHECK(fault.find("t0ken") == std::string::npos);
  CHECK(fault.find("--skip-handshake") != std::string::npos);
}

TEST_CASE("handshake headers: those that are set, none when they are taken away, else as they were") {
  using cli::endpoints::headers_in;
  CHECK(!headers_in(R"({"url":"x"})"));
  CHECK(headers_in(R"({"headers":null})")->empty());
  CHECK(headers_in(R"({"headers":{"A":"b"}})") == cli::endpoints::Headers{{"A", "b"}});
}
