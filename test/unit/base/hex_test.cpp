#include "base/hex.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace socialsync {
namespace {

TEST_CASE("hex: every byte there and back") {
  for (int value = 0; value < 256; ++value) {
    const std::array byte{static_cast<std::uint8_t>(value)};
    std::string text;
    append_hex(text, byte);
    std::array<std::uint8_t, 1> decoded{};
    REQUIRE(decode_hex(text, decoded));
    CHECK(decoded == byte);
  }
}

TEST_CASE("hex: is appended in lower case") {
  constexpr std::array<std::uint8_t, 4> bytes{0x00, 0x0f, 0xab, 0xff};
  std::string text = "0x";
  append_hex(text, bytes);
  CHECK(text == "0x000fabff");
  append_hex(text, {});
  CHECK(text == "0x000fabff");
}

TEST_CASE("hex: digits of either case are read") {
  std::array<std::uint8_t, 2> bytes{};
  CHECK(decode_hex("aBcD", bytes));
  CHECK(bytes == std::array<std::uint8_t, 2>{0xab, 0xcd});
  CHECK(decode_hex("", {}));
}

TEST_CASE("hex: anything but exactly enough digits is refused") {
  std::array<std::uint8_t, 2> bytes{};
  for (const std::string_view text : {"", "abc", "abcde", "abcdef", "ab cd", "0xab", "abcg", "gbcd", "ab-d",
                                      "abc/", "abc:", "abc@", "abcG", "abc`", "ab\xc3\xa4"})
    CHECK_MESSAGE(!decode_hex(text, bytes), text);
  CHECK_FALSE(decode_hex(std::string_view("ab\0d", 4), bytes));
}

}  // namespace
}  // namespace socialsync
