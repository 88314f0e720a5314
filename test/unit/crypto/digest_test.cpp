#include "crypto/digest.hpp"

#include <string>

#include <doctest/doctest.h>

#include "base/text.hpp"

namespace socialsync::crypto {
namespace {

std::string hex(const Digest& digest) {
  std::string text;
  append_hex(text, digest);
  return text;
}

std::string bytes_counting_to(int last) {
  std::string bytes;
  for (int byte = 1; byte <= last; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hex(hash.finish());
}

// https://www.rfc-editor.org/rfc/rfc4231#section-4
TEST_CASE("hmac: the vectors of RFC 4231") {
  const auto sign = [](const std::string& key, const std::string& message) {
    return hex(HmacKey(key).sign(message));
  };
  CHECK(sign(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(sign("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(sign(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(sign(bytes_counting_to(25), std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(
      sign(std::string(20, '\x0c'), "Test With Truncation").starts_with("a3b6167473100ee06e0c796c2955552b"));
  CHECK(sign(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(sign(std::string(131, '\xaa'),
             "This is a test using a larger than block-size key and a larger than block-size data. The key "
             "needs to be hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("hmac: a key may be used again and again") {
  const HmacKey key("Jefe");
  const Digest first = key.sign("what do ya want for nothing?");
  CHECK(key.sign("something else") != first);
  CHECK(key.sign("") != first);
  for (int i = 0; i < 3; ++i) CHECK(key.sign("what do ya want for nothing?") == first);
}

TEST_CASE("hmac: keys differ, the empty one too, and may hold any byte") {
  const Digest one = HmacKey(std::string_view("a\0b", 3)).sign("m");
  CHECK(one != HmacKey("a").sign("m"));
  CHECK(one != HmacKey(std::string_view("a\0c", 3)).sign("m"));
  CHECK(HmacKey("").sign("m") == HmacKey("").sign("m"));
  CHECK(HmacKey("").sign("m") != HmacKey("a").sign("m"));
}

TEST_CASE("sha256: known digests") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: bytes may come in parts, and finishing starts anew") {
  Sha256 hash;
  hash.add("a");
  hash.add("");
  hash.add("bc");
  CHECK(hex(hash.finish()) == sha256("abc"));
  CHECK(hex(hash.finish()) == sha256(""));
  hash.add("abc");
  CHECK(hex(hash.finish()) == sha256("abc"));
}

TEST_CASE("equal_in_constant_time: equal means equal") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("token", "token"));
  CHECK_FALSE(equal_in_constant_time("token", "Token"));
  CHECK_FALSE(equal_in_constant_time("token", "tokeN"));
  CHECK_FALSE(equal_in_constant_time("token", "toke"));
  CHECK_FALSE(equal_in_constant_time("token", ""));
  CHECK_FALSE(equal_in_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
  Digest one{};
  Digest two{};
  CHECK(equal_in_constant_time(one, two));
  two.back() = 1;
  CHECK_FALSE(equal_in_constant_time(one, two));
}

}  // namespace
}  // namespace socialsync::crypto
