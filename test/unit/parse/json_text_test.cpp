#include "parse/json_text.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace socialsync::parse;

TEST_CASE("read_escape takes the escapes of RFC 8259 and no others") {
  for (const char* text : {R"(\")", R"(\\)", R"(\/)", R"(\b)", R"(\f)", R"(\n)", R"(\r)", R"(\t)"}) {
    CHECK_MESSAGE(read_escape(text).length == 2, text);
  }
  for (const char* text : {R"(\)", R"(\a)", R"(\x41)", R"(\')", R"(\U0041)", R"(\u)", R"(\u00)", R"(\u004)",
                           R"(\u00g0)", R"(\u-041)", R"(\u+041)", R"(\u 041)", R"(\u0x41)"}) {
    CHECK_MESSAGE(!read_escape(text).valid(), text);
  }
  CHECK(read_escape(R"(\u00E9x)").character == 0xE9);
  CHECK(read_escape(R"(\u00e9x)").length == 6);
}

TEST_CASE("a surrogate pair is one escape, and a lone surrogate is unfit") {
  const Escape pair = read_escape(R"(\ud83d\ude00)");
  CHECK(pair.length == 12);
  CHECK(pair.character == 0x1F600);
  CHECK(pair.fit_for_jsonb());
  for (const char* text : {R"(\ud83d)", R"(\ud83dx)", R"(\ud83d\n)", R"(\ud83dA)", R"(\ud83d\ud83d)",
                           R"(\ude00\ud83d)", R"(\udfff)", R"(\ud83d\uzzzz)"}) {
    const Escape lone = read_escape(text);
    CHECK_MESSAGE(lone.length == 6, text);
    CHECK_MESSAGE(!lone.fit_for_jsonb(), text);
  }
}

TEST_CASE("NUL is the only other character that is unfit") {
  CHECK(!read_escape(R"(\u0000)").fit_for_jsonb());
  CHECK(read_escape(R"(\u0001)").fit_for_jsonb());
  CHECK(read_escape(R"(\ud7ff)").fit_for_jsonb());
  CHECK(read_escape(R"(\ue000)").fit_for_jsonb());
  CHECK(read_escape(R"(\uffff)").fit_for_jsonb());
}

TEST_CASE("read_number knows the grammar") {
  for (const char* text :
       {"0", "-0", "1", "-1", "10", "0.5", "-0.05", "1e5", "1E+5", "1e-05", "123456789.000e0"}) {
    CHECK_MESSAGE(read_number(text).length == std::string(text).size(), text);
  }
  for (const char* text : {"", "-", "+1", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "e5", "x", "--1"}) {
    CHECK_MESSAGE(read_number(text).length == 0, text);
  }
  CHECK(read_number("12,").length == 2);
  CHECK(read_number("0x1").length == 1);
  CHECK(read_number("1.5.5").length == 3);
}

TEST_CASE("a number is fit up to 400 digits and an exponent of 400") {
  const auto is_fit = [](const std::string& text) { return read_number(text).fit_for_jsonb; };
  CHECK(is_fit("9900000000000002"));
  CHECK(is_fit(std::string(400, '9')));
  CHECK(!is_fit(std::string(401, '9')));
  CHECK(!is_fit("0." + std::string(400, '1')));
  CHECK(is_fit("1e400"));
  CHECK(is_fit("1e-400"));
  CHECK(!is_fit("1e401"));
  CHECK(!is_fit("1E-401"));
  CHECK(!is_fit("1e131071"));
  CHECK(!is_fit("1e99999999999999999999"));
  CHECK(is_fit("1e0000000000000000000000000000000000002"));
}

TEST_CASE("unescaped resolves every escape") {
  CHECK(unescaped("plain") == "plain");
  CHECK(unescaped(R"(a\"b\\c\/d)") == "a\"b\\c/d");
  CHECK(unescaped(R"(\b\f\n\r\t)") == "\b\f\n\r\t");
  CHECK(unescaped(R"(\u003Ca\u00e9\u20ac\ud83d\ude00)") == "<aé€😀");
  CHECK(unescaped(R"(a\u0000b\ud83dc)") == "a\uFFFDb\uFFFDc");
  CHECK(unescaped(R"(\\u0000)") == R"(\u0000)");
}
