#include <doctest/doctest.h>

#include "verify/signature.hpp"

namespace socialsync::verify {
namespace {

TEST_CASE("keyring: each place is its own secret, whenever it is first used") {
  const std::vector<std::string> secrets{"one", "two", "three"};
  const Keyring keyring(secrets);
  CHECK(keyring.size() == 3);
  const crypto::Digest by_two = crypto::HmacKey("two").sign("body");
  CHECK_FALSE(keyring.signed_by(2, by_two, "body"));
  CHECK(keyring.signed_by(1, by_two, "body"));
  CHECK_FALSE(keyring.signed_by(0, by_two, "body"));
  CHECK(keyring.signed_by(1, by_two, "body"));
  CHECK_FALSE(keyring.signed_by(1, by_two, "body "));
}

TEST_CASE("keyring: fingerprints tell secrets apart without showing them") {
  const std::vector<std::string> secrets{"test_app_secret", "test_app_secret2"};
  const Keyring keyring(secrets);
  CHECK(keyring.fingerprint(0) == "458b45812b68b3c7");
  CHECK(keyring.fingerprint(1) != keyring.fingerprint(0));
  CHECK(keyring.fingerprint(1).size() == 16);
}

}  // namespace
}  // namespace socialsync::verify
