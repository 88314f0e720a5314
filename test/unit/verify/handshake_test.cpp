#include "verify/handshake.hpp"

#include <array>

#include <doctest/doctest.h>

namespace socialsync::verify {
namespace {

constexpr std::array<std::string_view, 3> tokens{"first", "second", "third"};

const HandshakeQuery good{.mode = "subscribe", .token = "second", .challenge = "1158201444"};

HandshakeError error_of(const HandshakeQuery& query) {
  const auto answer = answer_handshake(query, tokens);
  REQUIRE(answer.has_error());
  return answer.error();
}

TEST_CASE("handshake: any of the tokens opens, and the challenge comes back byte for byte") {
  for (const std::string_view token : tokens) {
    HandshakeQuery query = good;
    query.token = token;
    query.challenge = std::string("a+b <\"é\"> \0c", 13);
    const auto answer = answer_handshake(query, tokens);
    REQUIRE(answer.has_value());
    CHECK(*answer == *query.challenge);
  }
}

TEST_CASE("handshake: other tokens do not") {
  for (const std::string token : {"fourth", "First", "firs", "firstt", "first ", "first,second"}) {
    HandshakeQuery query = good;
    query.token = token;
    CHECK_MESSAGE(error_of(query) == HandshakeError::wrong_token, token);
  }
  CHECK(answer_handshake(good, {}).error() == HandshakeError::wrong_token);
}

TEST_CASE("handshake: an empty token never opens") {
  HandshakeQuery query = good;
  query.token = "";
  constexpr std::array<std::string_view, 1> none{""};
  CHECK(answer_handshake(query, none).error() == HandshakeError::missing_parameter);
}

TEST_CASE("handshake: all three parameters are needed") {
  for (auto member : {&HandshakeQuery::mode, &HandshakeQuery::token, &HandshakeQuery::challenge}) {
    HandshakeQuery query = good;
    query.*member = std::nullopt;
    CHECK(error_of(query) == HandshakeError::missing_parameter);
  }
}

TEST_CASE("handshake: only to subscribe, even with the right token") {
  for (const std::string mode : {"", "unsubscribe", "Subscribe", "subscribe "}) {
    HandshakeQuery query = good;
    query.mode = mode;
    CHECK_MESSAGE(error_of(query) == HandshakeError::wrong_mode, mode);
  }
}

TEST_CASE("handshake: challenges are bounded") {
  HandshakeQuery query = good;
  query.challenge = std::string(challenge_bytes_max, '1');
  CHECK(answer_handshake(query, tokens).has_value());
  query.challenge = std::string(challenge_bytes_max + 1, '1');
  CHECK(error_of(query) == HandshakeError::missing_parameter);
  query.challenge = "";
  CHECK(answer_handshake(query, tokens).has_value());
}

}  // namespace
}  // namespace socialsync::verify
