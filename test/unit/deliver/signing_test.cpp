#include "deliver/signing.hpp"

#include <map>

#include <doctest/doctest.h>

#include "crypto/base64.hpp"

namespace socialsync::deliver {
namespace {

constexpr std::string_view known_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view other_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
constexpr std::string_view event_id = "0190f3c2-7b1a-7cde-8f00-000000000001";
constexpr std::string_view body = R"({"object":"page"})";

model::Endpoint signed_endpoint(std::vector<std::string> secrets, std::string app_secret = "app secret") {
  model::Endpoint endpoint;
  endpoint.signing_secrets = std::move(secrets);
  endpoint.app_secret = std::move(app_secret);
  return endpoint;
}

std::map<std::string, std::string> headers_of(const model::Endpoint& endpoint) {
  const auto signer = Signer::of(endpoint);
  REQUIRE(signer.has_value());
  const Signer::Headers headers = signer->headers(*parse_uuid(event_id), 1614265330, body);
  return {headers.begin(), headers.end()};
}

std::string signature_of(std::string_view secret, std::string_view id, std::int64_t now_seconds,
                         std::string_view message) {
  std::vector<crypto::HmacKey> keys;
  keys.emplace_back(*signing_key_of(secret));
  return webhook_signature(keys, id, now_seconds, message);
}

// https://github.com/standard-webhooks/standard-webhooks: the vector its libraries are tested with.
TEST_CASE("signing: the vector of Standard Webhooks") {
  CHECK(signature_of(known_secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("signing: the headers of a delivery in the meta format") {
  const auto headers = headers_of(signed_endpoint({std::string(known_secret)}));
  REQUIRE(headers.size() == 4);
  const std::string id = "msg_" + std::string(event_id);
  CHECK(headers.at("webhook-id") == id);
  CHECK(headers.at("webhook-timestamp") == "1614265330");
  CHECK(headers.at("webhook-signature") == signature_of(known_secret, id, 1614265330, body));
  // printf '{"object":"page"}' | openssl dgst -sha256 -hmac 'app secret'
  CHECK(headers.at("X-Hub-Signature-256") ==
        "sha256=f86a31d6019ea600addfb628e4de5d618cc0a44509a81b3544e49a3732345789");
}

TEST_CASE("signing: one signature for each secret, in their order") {
  const auto headers = headers_of(signed_endpoint({std::string(known_secret), std::string(other_secret)}));
  const std::string id = "msg_" + std::string(event_id);
  CHECK(headers.at("webhook-signature") == signature_of(known_secret, id, 1614265330, body) + " " +
                                               signature_of(other_secret, id, 1614265330, body));
  CHECK(signature_of(known_secret, id, 1, body) != signature_of(other_secret, id, 1, body));
}

TEST_CASE("signing: no key, no signature") {
  CHECK_FALSE(headers_of(signed_endpoint({})).contains("webhook-signature"));
  CHECK_FALSE(headers_of(signed_endpoint({std::string(known_secret)}, "")).contains("X-Hub-Signature-256"));
  model::Endpoint standard = signed_endpoint({std::string(known_secret)});
  standard.format = model::DeliveryFormat::standard;
  CHECK_FALSE(headers_of(standard).contains("X-Hub-Signature-256"));
  CHECK(headers_of(standard).contains("webhook-signature"));
}

TEST_CASE("signing: malformed signing secrets") {
  const auto secret_of = [](std::size_t bytes) {
    return "whsec_" + crypto::to_base64(std::string(bytes, 'k'));
  };
  CHECK(signing_key_of("").error() == SigningError::no_prefix);
  CHECK(signing_key_of("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").error() == SigningError::no_prefix);
  CHECK(signing_key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS").error() == SigningError::not_base64);
  CHECK(signing_key_of("whsec_").error() == SigningError::wrong_length);
  CHECK(signing_key_of(secret_of(23)).error() == SigningError::wrong_length);
  CHECK(signing_key_of(secret_of(65)).error() == SigningError::wrong_length);
  CHECK(*signing_key_of(secret_of(24)) == std::string(24, 'k'));
  CHECK(*signing_key_of(secret_of(64)) == std::string(64, 'k'));
}

TEST_CASE("signing: one bad secret among good ones is an error, which does not show it") {
  const auto signer = Signer::of(signed_endpoint({std::string(known_secret), "whsec_hush"}));
  REQUIRE(signer.has_error());
  for (const SigningError error :
       {SigningError::no_prefix, SigningError::not_base64, SigningError::wrong_length}) {
    CHECK_FALSE(to_string(error).empty());
    CHECK(to_string(error).find("hush") == std::string_view::npos);
  }
}

}  // namespace
}  // namespace socialsync::deliver
