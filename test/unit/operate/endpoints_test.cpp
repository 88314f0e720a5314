#include "operate/endpoints.hpp"

#include <doctest/doctest.h>

using namespace socialsync;
using operate::handshake_fault;

TEST_CASE("handshake fault: the answer is quoted without the verify token, plain or percent-encoded") {
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

TEST_CASE("handshake fault: no answer") {
  deliver::Reply reply;
  reply.error = deliver::SendError::timed_out;
  reply.detail = "slow: t0ken";
  const std::string fault = handshake_fault(reply, "t0ken");
  CHECK(fault.find("timed_out") != std::string::npos);
  CHECK(fault.find("t0ken") == std::string::npos);
  CHECK(fault.find("--skip-handshake") != std::string::npos);
}
