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

TEST_CASE("base64: each variant reads its own form only") {
  const std::string bytes = "\xfb\xff\xfe\xfb";
  struct Form {
    Base64 variant;
    std::string_view text;
  };
  constexpr Form forms[] = {{Base64::padded, "+//++w=="},
                            {Base64::unpadded, "+//++w"},
                            {Base64::url_padded, "-__--w=="},
                            {Base64::url_unpadded, "-__--w"}};
  for (const Form& written : forms) {
    CHECK(to_base64(bytes, written.variant) == written.text);
    for (const Form& read : forms)
      CHECK(from_base64(written.text, read.variant).has_value() == (read.variant == written.variant));
  }
}

TEST_CASE("base64: no byte beyond its 64 characters is read") {
  for (const Base64 variant : {Base64::padded, Base64::unpadded, Base64::url_padded, Base64::url_unpadded}) {
    int characters = 0;
    for (int value = 0; value < 256; ++value)
      characters +=
          from_base64("Zm9" + std::string(1, static_cast<char>(value)), variant).has_value() ? 1 : 0;
    CHECK(characters == 64);
  }
}

}  // namespace
}  // namespace socialsync::crypto
