#include <doctest/doctest.h>

#include "parse/json_text.hpp"

using socialsync::parse::repaired;

TEST_CASE("a value that jsonb takes is unchanged") {
  for (const char* json : {"{}", R"({"a":"\\u0000","b":[1,-2.5e3,true,null,"1e999999"]})",
                           R"("\ud83d\ude00")", R"(["\"","\\"])"}) {
    CHECK_MESSAGE(!repaired(json), json);
  }
}

TEST_CASE("NUL and lone surrogates become the replacement character") {
  CHECK(repaired(R"({"a":"x\u0000y"})") == R"({"a":"x\ufffdy"})");
  CHECK(repaired(R"({"a\u0000":1})") == R"({"a\ufffd":1})");
  CHECK(repaired(R"(["\ud83d"])") == R"(["\ufffd"])");
  CHECK(repaired(R"(["\ude00\ud83d"])") == R"(["\ufffd\ufffd"])");
  CHECK(repaired(R"(["\ud83d\ud83d\ude00"])") == R"(["\ufffd\ud83d\ude00"])");
  CHECK(repaired(R"(["\\\u0000"])") == R"(["\\\ufffd"])");
}

TEST_CASE("absurd numbers become strings") {
  CHECK(repaired("[1,1e400000,-2]") == R"([1,"1e400000",-2])");
  CHECK(repaired("-1e131071") == R"("-1e131071")");
  CHECK(repaired(R"({"a":1E-999})") == R"({"a":"1E-999"})");
}

TEST_CASE("several at once, each where it was") {
  CHECK(repaired(R"({"a":"\u0000","b":1e999,"c":"ok","d":"\udfff"})") ==
        R"({"a":"\ufffd","b":"1e999","c":"ok","d":"\ufffd"})");
}
