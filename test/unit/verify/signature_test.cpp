#include "verify/signature.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync::verify {
namespace {

const std::string digits(64, 'a');

SignatureError error_of(std::string_view header) {
  const auto parsed = parse_signature(header);
  REQUIRE_MESSAGE(parsed.has_error(), header);
  return parsed.error();
}

TEST_CASE("signature: signs exactly these bytes") {
  const crypto::HmacKey key("test_app_secret");
  CHECK(sign(key, R"({"object":"whatsapp_business_account","entry":[]})") ==
        "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756");
  CHECK(sign(key, R"({"object": "whatsapp_business_account", "entry": []})") ==
        "sha256=56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a");
}

// Meta escapes before it signs: the same JSON written otherwise has another signature.
TEST_CASE("signature: escapes are part of the bytes") {
  const crypto::HmacKey key("test_app_secret");
  const std::string_view escaped =
      R"({"object":"whatsapp_business_account","entry":[{"id":"1","note":"\u00e4\u00f6\u00e5 \/ \u003C \u0025 \u0040"}]})";
  const std::string_view written_again =
      R"({"object":"whatsapp_business_account","entry":[{"id":"1","note":"äöå / < % @"}]})";
  CHECK(sign(key, escaped) == "sha256=eee68a5e42c8bfefc3405eefe9fcaf09f8ecc2221b900f561befc433ef1904d2");
  CHECK(sign(key, written_again) ==
        "sha256=fc77a9acb2a6413cb46b0cda900fd669dae665676d19055739d4ecfd60bbd10e");
}

TEST_CASE("signature: a header gives the digest that was signed") {
  const crypto::HmacKey key("test_app_secret");
  const auto digest = parse_signature(sign(key, "body"));
  REQUIRE(digest.has_value());
  CHECK(*digest == key.sign("body"));
  CHECK(*digest != key.sign("Body"));
}

TEST_CASE("signature: digits of either case are the same digest") {
  const auto lower = parse_signature("sha256=" + std::string(64, 'f'));
  const auto upper = parse_signature("sha256=" + std::string(64, 'F'));
  REQUIRE(lower.has_value());
  REQUIRE(upper.has_value());
  CHECK(*lower == *upper);
}

TEST_CASE("signature: no header is not a malformed one") {
  CHECK(error_of("") == SignatureError::missing);
  CHECK(error_of(" ") == SignatureError::malformed);
  CHECK(to_string(SignatureError::missing) == "signature_missing");
  CHECK(to_string(SignatureError::malformed) == "signature_malformed");
}

TEST_CASE("signature: wrong lengths") {
  for (const std::size_t length : {0U, 1U, 40U, 63U, 65U, 128U, 10'000U})
    CHECK(error_of("sha256=" + std::string(length, 'a')) == SignatureError::malformed);
}

TEST_CASE("signature: wrong prefixes") {
  for (const std::string prefix :
       {"", "sha256", "sha256:", "SHA256=", "sha1=", " sha256=", "sha256= ", "sha512="})
    CHECK_MESSAGE(error_of(prefix + digits) == SignatureError::malformed, prefix);
}

TEST_CASE("signature: what is no digit, and bytes beyond ASCII") {
  for (const std::string_view stranger : {"g", "-", " ", "\xff", "\x80", "\n"}) {
    for (const std::size_t at : {0U, 31U, 63U}) {
      std::string header = "sha256=" + digits;
      header[7 + at] = stranger.front();
      CHECK(error_of(header) == SignatureError::malformed);
    }
  }
  CHECK(error_of("sha256=" + digits.substr(2) + "é") == SignatureError::malformed);
  CHECK(error_of(std::string("sha256=") + '\0' + digits.substr(1)) == SignatureError::malformed);
  CHECK(error_of("sha256=" + digits + " ") == SignatureError::malformed);
}

}  // namespace
}  // namespace socialsync::verify
