#include "crypto/secret_box.hpp"

#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace socialsync::crypto {
namespace {

constexpr std::string_view place =
    "socialsync|social_accounts|00000000-0000-4000-8000-00000000000a|app_secret";

SecretKey key(std::uint8_t filling) {
  SecretKey::Bytes bytes;
  bytes.fill(filling);
  return SecretKey(bytes);
}

SecretKeys keys(std::vector<SecretKey> all) { return SecretKeys(std::move(all)); }

std::string opened(const SecretKeys& with, std::string_view value, std::string_view at = place) {
  const auto plain = with.open(value, at);
  return plain ? *plain : std::string(to_string(plain.error()));
}

TEST_CASE("secret box: a value is decrypted again, and encrypts to a different text each time") {
  const SecretKeys with = keys({key(1)});
  for (const std::string_view plain : {"", "s", "0123456789abcdef0123456789abcdef", "new,old", "clé ü"}) {
    const std::string sealed = with.seal(plain, place);
    CHECK(opened(with, sealed) == plain);
    CHECK(with.seal(plain, place) != sealed);
    CHECK(is_sealed(sealed));
  }
}

TEST_CASE("secret box: the form and length of an encrypted value") {
  const SecretKeys with = keys({key(1)});
  for (std::size_t bytes = 0; bytes < 300; ++bytes) {
    const std::string sealed = with.seal(std::string(bytes, 'x'), place);
    CHECK(sealed.size() == sealed_length(bytes));
    CHECK(sealed.starts_with("enc:v1:" + key(1).id() + ":"));
    CHECK(sealed.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", 16) ==
          std::string::npos);
  }
  CHECK(sealed_length(32) == 112);
  CHECK(sealed_length(139) == 255);
  CHECK(sealed_length(140) == 256);
}

// Made with Python's hashlib, and libsodium through PyNaCl: the nonce is 24 times 0x07.
TEST_CASE("secret box: a value encrypted by another program") {
  CHECK(key(1).id() == "27bc3bb4");
  CHECK(opened(keys({key(1)}),
               "enc:v1:27bc3bb4:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH_Az7jd64LQDjVuL9uJGdOxOK3OX-ScJ6") ==
        "a secret");
}

TEST_CASE("secret box: one key seals, each opens") {
  const SecretKeys before = keys({key(1)});
  const SecretKeys after = keys({key(2), key(1)});
  CHECK(opened(after, before.seal("old", place)) == "old");
  const std::string sealed = after.seal("new", place);
  CHECK(key_id_of(sealed) == key(2).id());
  CHECK(opened(after, sealed) == "new");
  CHECK(opened(before, sealed) == "unknown_key");
  CHECK(opened(SecretKeys(), sealed) == "unknown_key");
  CHECK(after.ids() == std::vector<std::string>{key(2).id(), key(1).id()});
  CHECK(SecretKeys().empty());
}

TEST_CASE("secret box: it opens only in its place") {
  const SecretKeys with = keys({key(1)});
  const std::string id = "00000000-0000-4000-8000-00000000000a";
  const std::string sealed = with.seal("secret", account_place(id, "app_secret"));
  CHECK(account_place(id, "app_secret") == place);
  CHECK(opened(with, sealed, account_place(id, "app_secret")) == "secret");
  CHECK(opened(with, sealed, account_place(id, "verify_token")) == "tampered");
  CHECK(opened(with, sealed, account_place("00000000-0000-4000-8000-00000000000b", "app_secret")) ==
        "tampered");
}

TEST_CASE("secret box: any change is found") {
  const SecretKeys with = keys({key(1)});
  const std::string sealed = with.seal("secret", place);
  for (std::size_t i = 16; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK(opened(with, changed) == "tampered");
    CHECK(opened(with, sealed.substr(0, i)) == "tampered");
  }
  for (const char* more : {"A", "AAAA", "=", " ", "\n", "é"})
    CHECK(opened(with, sealed + more) == "tampered");
  // Under another key's name it is not tried.
  std::string renamed = sealed;
  renamed[7] = renamed[7] == '0' ? '1' : '0';
  CHECK(opened(with, renamed) == "unknown_key");
}

TEST_CASE("secret box: whatever has not the form is plain") {
  const SecretKeys with = keys({key(1)});
  for (const char* plain :
       {"", "secret", "enc:", "enc:v1:", "enc:v1:0123456", "enc:v1:01234567", "enc:v1:0123456g:AAAA",
        "enc:v1:0123456A:AAAA", "enc:v2:01234567:AAAA", " enc:v1:01234567:AAAA"}) {
    CHECK_FALSE(is_sealed(plain));
    CHECK(opened(with, plain) == "not_sealed");
  }
  CHECK(is_sealed("enc:v1:01234567:"));
}

TEST_CASE("secret box: encrypted entries of a list beside plaintext ones") {
  const SecretKeys with = keys({key(1)});
  const std::string sealed = with.seal("old,older", place);
  const auto in_list = [&](const std::string& list) {
    const auto plain = with.open_list(list, place);
    return plain ? *plain : std::string(to_string(plain.error()));
  };
  CHECK(in_list(sealed) == "old,older");
  CHECK(in_list("new," + sealed) == "new,old,older");
  CHECK(in_list("new ,  " + sealed + " ") == "new ,old,older");
  CHECK(in_list(sealed + "," + sealed) == "old,older,old,older");
  CHECK(in_list("," + sealed + ",") == ",old,older,");
  CHECK(in_list("new," + sealed.substr(0, 40)) == "tampered");
  CHECK(in_list("new," + keys({key(2)}).seal("old", place)) == "unknown_key");
  for (const char* plain : {"", ",", "a, b", "new"}) CHECK(in_list(plain) == "not_sealed");
  CHECK(is_wholly_sealed(sealed));
  CHECK_FALSE(is_wholly_sealed(sealed + ",new"));
}

TEST_CASE("secret box: keys as text") {
  const std::string hex = new_secret_key();
  CHECK(hex.size() == 64);
  CHECK(new_secret_key() != hex);
  REQUIRE(parse_secret_key(hex));
  CHECK(parse_secret_key(std::string(62, '0') + "aB"));
  // 32 bytes of 0xfb, in each alphabet, padded and not.
  SecretKey::Bytes bytes;
  bytes.fill(0xfb);
  const std::string id = SecretKey(bytes).id();
  std::string hex_of_bytes;
  for (int i = 0; i < 32; ++i) hex_of_bytes += "fb";
  std::string padded, safe;
  for (int i = 0; i < 10; ++i) {
    padded += "+/v7";
    safe += "-_v7";
  }
  for (const std::string& text :
       {hex_of_bytes, padded + "+/s=", padded + "+/s", safe + "-_s=", safe + "-_s"}) {
    const auto parsed = parse_secret_key(text);
    REQUIRE(parsed);
    CHECK(parsed->id() == id);
  }
  for (const std::string& text :
       {std::string(), hex.substr(1), hex + "0", hex.substr(0, 63) + "g", std::string("secret"),
        padded + "+/t=", padded + "+/v7", padded, safe + "+/s"})
    CHECK_FALSE(parse_secret_key(text));
}

TEST_CASE("secret box: a wiped text is empty") {
  std::string text = "secret";
  wipe(text);
  CHECK(text.empty());
}

}  // namespace
}  // namespace socialsync::crypto
