#include "base/text.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace socialsync {
namespace {

using Entries = std::vector<std::string>;

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST_CASE("first_characters: counts characters, not bytes") {
  CHECK(first_characters("abc", 3) == "abc");
  CHECK(first_characters("abcd", 3) == "abc");
  CHECK(first_characters("äöü", 3) == "äöü");
  CHECK(first_characters("äöüß", 3) == "äöü");
  CHECK(first_characters("a€😀b", 3) == "a€😀");
  CHECK(first_characters("a€😀b", 2) == "a€");
}

TEST_CASE("first_characters: edges") {
  CHECK(first_characters("", 0) == "");
  CHECK(first_characters("", 5) == "");
  CHECK(first_characters("😀", 0) == "");
  CHECK(first_characters("😀", 1) == "😀");
  // More bytes than allowed characters, but no more characters.
  CHECK(first_characters("😀😀", 4) == "😀😀");
  CHECK(first_characters("😀😀", 2) == "😀😀");
}

TEST_CASE("first_characters: a combining accent is a character of its own, as in PostgreSQL") {
  CHECK(first_characters("e\u0301x", 2) == "e\u0301");
  CHECK(first_characters("e\u0301x", 1) == "e");
}

TEST_CASE("first_characters: bytes that are not UTF-8 do no harm") {
  CHECK(first_characters("\x80\x80\x80", 2) == "\x80\x80\x80");
  CHECK(first_characters("a\xff\xff", 2) == "a\xff");
  CHECK(first_characters("ab\xc3", 2) == "ab");
}

TEST_CASE("split_list: entries lose the blanks around them") {
  CHECK(split_list("a,b,c") == Entries{"a", "b", "c"});
  CHECK(split_list("  a , b c ,d  ") == Entries{"a", "b c", "d"});
  CHECK(split_list("one") == Entries{"one"});
}

TEST_CASE("split_list: empty entries are left out") {
  CHECK(split_list("").empty());
  CHECK(split_list(" , ,, ").empty());
  CHECK(split_list(",a,,b,") == Entries{"a", "b"});
}

TEST_CASE("append_json_string: quotes, backslashes and control characters are escaped") {
  CHECK(json_of("") == R"("")");
  CHECK(json_of(R"(say "a\b")") == R"("say \"a\\b\"")");
  CHECK(json_of("a\nb\tc\r") == R"("a\u000ab\u0009c\u000d")");
  CHECK(json_of(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
}

TEST_CASE("append_json_string: everything else is passed on") {
  CHECK(json_of("é😀/\x7f") == "\"é😀/\x7f\"");
  std::string out = "x:";
  append_json_string(out, "y");
  CHECK(out == R"(x:"y")");
}

TEST_CASE("the nearest word is that with the fewest letters to change") {
  constexpr std::array<std::string_view, 3> words{"page_id", "phone_number_id", "app_secret"};
  CHECK(nearest_word("pageid", words) == "page_id");
  CHECK(nearest_word("phonenumber", words) == "phone_number_id");
  CHECK(nearest_word("app_secrets", words) == "app_secret");
}

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

TEST_CASE("printable: text as it is, all else as bytes") {
  CHECK(printable("déjà 😀") == "déjà 😀");
  CHECK(printable("a\x1b[2J\n\x7f") == R"(a\x1b[2J\x0a\x7f)");
  CHECK(printable("a\n\tb", true) == "a\n b");
  CHECK(printable("\xc2\x9b") == R"(\xc2\x9b)");  // a control character of its own
  CHECK(printable("\xff\xc3(\xed\xa0\xbd\xc0\x80") == R"(\xff\xc3(\xed\xa0\xbd\xc0\x80)");
  CHECK(printable("\xf0\x9f\x98") == R"(\xf0\x9f\x98)");
  CHECK(printable(std::string_view("\0", 1)) == R"(\x00)");
}

TEST_CASE("readable count: thousands have commas") {
  CHECK(readable_count(999) == "999");
  CHECK(readable_count(1'284'201) == "1,284,201");
}

}  // namespace
}  // namespace socialsync
