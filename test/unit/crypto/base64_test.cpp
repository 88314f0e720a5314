#include "crypto/base64.hpp"

#include <doctest/doctest.h>

namespace socialsync::crypto {
namespace {

struct Pair {
  std::string_view bytes;
  std::string_view text;
};

// https://www.rfc-editor.org/rfc/rfc4648#section-10
constexpr Pair vectors[] = {{"", ""},
                            {"f", "Zg=="},
                            {"fo", "Zm8="},
                            {"foo", "Zm9v"},
                            {"foob", "Zm9vYg=="},
                            {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"},
                            {{"\xfb\xff\0", 3}, "+/8A"}};

TEST_CASE("base64: the vectors of RFC 4648, both ways") {
  for (const Pair& pair : vectors) {
    CAPTURE(pair.text);
    CHECK(to_base64(pair.bytes) == pair.text);
    CHECK(from_base64(pair.text) == pair.bytes);
  }
}

TEST_CASE("base64: any byte, any length") {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    CHECK(from_base64(to_base64(bytes)) == bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST_CASE("base64: what is not exactly its form is refused") {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zm8", "Z===", "====", "=", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9", "    ",
        "Zm9vZg==\n", "Zg==Zg==", "Zm-_", "Zm=v", "=m9v", "Zm\xc3\xa9", "Zm9v    "}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64(text));
  }
  CHECK_FALSE(from_base64(std::string_view("Zm9\0", 4)));
}

}  // namespace
}  // namespace socialsync::crypto
