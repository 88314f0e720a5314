#include "parse/json_check.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace socialsync::parse;

namespace {

constexpr std::size_t depth_max = 4;

bool is_json(std::string text) { return JsonChecker().check(text, depth_max).has_value(); }

bool is_fit(std::string text) {
  JsonChecker checker;
  REQUIRE_MESSAGE(checker.check(text, depth_max).has_value(), text);
  return checker.fit_for_jsonb();
}

}  // namespace

TEST_CASE("every kind of value is a text of its own") {
  for (const char* text : {"{}", "[]", "\"\"", "0", "-1.5e3", "true", "false", "null", " {} ", "\t[\r\n]\n",
                           R"({"a":[1,{"b":null}],"":""})"}) {
    CHECK_MESSAGE(is_json(text), text);
  }
}

constexpr const char* not_one_value[] = {"",
                                         " ",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         "{]",
                                         "[}",
                                         "{}}",
                                         "{}{}",
                                         "{} x",
                                         "1 2",
                                         "[1}",
                                         "{\"a\":1]",
                                         "[1 2]",
                                         "[1,]",
                                         "[,1]",
                                         "[,]",
                                         "{,}",
                                         "{\"a\"}",
                                         "{\"a\":}",
                                         "{:1}",
                                         "{a:1}",
                                         "{1:1}",
                                         "{\"a\":1,}",
                                         "{\"a\" 1}",
                                         "{\"a\"::1}",
                                         "[\"a\":1]",
                                         "\"a",
                                         "\"a\"b",
                                         "a\"b\"",
                                         "tru",
                                         "truee",
                                         "TRUE",
                                         "nul",
                                         "NaN",
                                         "Infinity",
                                         "01",
                                         "1.",
                                         "+1",
                                         "- 1",
                                         "'a'",
                                         "\"\\x\"",
                                         "\"\\u12\"",
                                         "\"\\\"",
                                         "// a\n1",
                                         "[1]//",
                                         "\"a\nb\"",
                                         "\"a\tb\"",
                                         "\x0c{}",
                                         "[1\x0c"
                                         "2]",
                                         "{\"a\"\x1a"
                                         "1}",
                                         "\xEF\xBB\xBF{}"};

TEST_CASE("nothing but one whole value is a text") {
  for (const char* text : not_one_value) {
    CHECK_MESSAGE(!is_json(text), text);
  }
  CHECK(!is_json(std::string("{}\0", 3)));
  CHECK(!is_json(std::string("\"a\0b\"", 5)));
}

TEST_CASE("strings are UTF-8") {
  CHECK(is_json("\"é€😀\""));
  for (const char* text :
       {"\"\xFF\xFE\"", "\"\xED\xA0\xBD\"", "\"\xC0\x80\"", "\"\xE2\x82\"", "\"\xF5\x80\x80\x80\""}) {
    CHECK_MESSAGE(!is_json(text), text);
  }
}

TEST_CASE("parts that no reader uses are checked as well") {
  CHECK(!is_json(R"({"object":"page","x":{"y":[tru]},"entry":[]})"));
  CHECK(!is_json(R"({"x":"\q","entry":[]})"));
  CHECK(!is_json(R"({"\q":1,"entry":[]})"));
}

TEST_CASE("depth is bounded") {
  const auto error_of = [](std::string text) { return JsonChecker().check(text, depth_max).error(); };
  CHECK(is_json("[[[[1]]]]"));
  CHECK(error_of("[[[[[1]]]]]") == JsonError::too_deep);
  CHECK(error_of(R"({"a":{"a":{"a":{"a":{}}}}})") == JsonError::too_deep);
  CHECK(error_of(std::string(1'000'000, '[')) == JsonError::too_deep);
  CHECK(error_of("[[[[1]]]") == JsonError::not_json);
}

TEST_CASE("a text is fit for jsonb without NUL, lone surrogates and absurd numbers") {
  CHECK(is_fit(R"({"a":"\ud83d\ude00","b":1e9,"c":"\\u0000"})"));
  CHECK(!is_fit(R"({"a":["\u0000"]})"));
  CHECK(!is_fit(R"({"a\u0000":1})"));
  CHECK(!is_fit(R"(["\ude00"])"));
  CHECK(!is_fit(R"([1e400000])"));
}

TEST_CASE("values lie where they were, and are found by name") {
  std::string text = R"( { "a" : [ 1 , "x" , { } ] , "b" : "c\/d" , "n" : null, "t" : true } )";
  JsonChecker checker;
  const Value root = *checker.check(text, depth_max);
  CHECK(root.raw() == text.substr(1, text.size() - 2));
  CHECK(root.at("a").raw() == R"([ 1 , "x" , { } ])");
  CHECK(root.at("b").raw() == R"("c\/d")");
  CHECK(root.at("b").text() == "c/d");
  CHECK(root.at("b").equals("c/d"));
  CHECK(root.at("t").is_true());
  CHECK(!root.at("n").present());
  CHECK(root.at("n").kind() == Kind::null);
  std::string items;
  for (const Value item : root.at("a").items()) items.append(item.raw()).append(";");
  CHECK(items == R"(1;"x";{ };)");
}

TEST_CASE("a missing value has no members and no text") {
  std::string text = R"({"a":1,"s":"x"})";
  JsonChecker checker;
  const Value root = *checker.check(text, depth_max);
  const Value missing = root.at("z").at("y");
  CHECK(missing.kind() == Kind::missing);
  CHECK(missing.raw().empty());
  CHECK(missing.text().empty());
  CHECK(!missing.equals(""));
  CHECK(root.at("s").at("y").kind() == Kind::missing);
  CHECK(root.at("a").items().begin() == root.at("a").items().end());
  CHECK(root.items().begin() == root.items().end());
  CHECK(root.at("s").fields().begin() == root.at("s").fields().end());
}

TEST_CASE("a name may be written with escapes, and the last of several counts") {
  std::string text = R"({"\u0069d":"a","id":"b","i":"c","\u0069\u0064":"d"})";
  JsonChecker checker;
  CHECK(checker.check(text, depth_max)->at("id").text() == "d");
}

TEST_CASE("one checker reads many texts of all sizes") {
  JsonChecker checker;
  for (const std::size_t size : {10UL, 100'000UL, 3'000'000UL, 20UL, 70'000UL}) {
    std::string text = "[\"" + std::string(size, 'x') + "\"]";
    const auto root = checker.check(text, depth_max);
    REQUIRE(root.has_value());
    CHECK(root->raw().size() == size + 4);
    std::string bad = "[\"" + std::string(size, 'x') + "]";
    CHECK(checker.check(bad, depth_max).has_error());
  }
}
