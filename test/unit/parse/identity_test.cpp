#include "parse/identity.hpp"

#include <string>

#include <doctest/doctest.h>

#include "parse/json_check.hpp"
#include "unit/parse/support.hpp"

using namespace socialsync::parse;

namespace {

// A text and its root.
struct Json {
  explicit Json(std::string json) : text(std::move(json)), root(*checker.check(text, 8)) {}

  std::string text;
  JsonChecker checker;
  Value root;
};

std::string parts_of(const std::string& json, const Paths& paths) {
  const Json value(json);
  std::string out;
  append_parts(out, value.root, paths);
  return out;
}

}  // namespace

TEST_CASE("a path goes down through objects") {
  const Json json(R"({"a":{"b":{"c":"x"}},"d":1})");
  CHECK(at_path(json.root, "a.b.c").text() == "x");
  CHECK(at_path(json.root, "d").text() == "1");
  CHECK(at_path(json.root, ".") == json.root);
  CHECK(at_path(json.root, "d.e").kind() == Kind::missing);
}

TEST_CASE("first_text passes over what is absent, null, empty or no text") {
  const Json json(R"({"n":null,"e":"","o":{},"s":"x","i":7})");
  CHECK(first_text(json.root, {"z", "n", "e", "o", "s"}) == "x");
  CHECK(first_text(json.root, {"i", "s"}) == "7");
  CHECK(first_text(json.root, {"z", "o"}).empty());
}

TEST_CASE("parts cannot be mistaken for one another") {
  CHECK(parts_of(R"({"a":"1","b":"23"})", {"a", "b"}) != parts_of(R"({"a":"12","b":"3"})", {"a", "b"}));
  CHECK(parts_of(R"({"a":"x"})", {"a", "b"}) != parts_of(R"({"b":"x"})", {"a", "b"}));
  CHECK(parts_of(R"({"a":"1:x"})", {"a", "b"}) != parts_of(R"({"a":"","b":"x"})", {"a", "b"}));
}

TEST_CASE("parts do not depend on how a string was escaped or a number quoted") {
  CHECK(parts_of(R"({"a":"x\/y"})", {"a"}) == parts_of(R"({"a":"x/y"})", {"a"}));
  CHECK(parts_of(R"({"a":7})", {"a"}) == parts_of(R"({"a":"7"})", {"a"}));
  CHECK(parts_of(R"({"a":null})", {"a"}) == parts_of("{}", {"a"}));
}

TEST_CASE("a type has at most 50 characters, not bytes") {
  CHECK(event_type("messages") == "messages");
  CHECK(event_type(std::string(50, 'x')) == std::string(50, 'x'));
  CHECK(event_type(std::string(51, 'x')) == std::string(50, 'x'));
  std::string accents;
  std::string cut;
  for (int i = 0; i < 60; ++i) accents += "é";
  for (int i = 0; i < 50; ++i) cut += "é";
  CHECK(event_type(accents) == cut);
}

TEST_CASE("ids with characters that text cannot hold stay different") {
  const auto event_with = [](const std::string& id) {
    return socialsync::parse::test::only_event_of(socialsync::parse::test::whatsapp(
        R"({"messages":[{"id":")" + id + R"(","from":"1","timestamp":"1760000001"}]})"));
  };
  const auto high = event_with(R"(\ud83d)");
  const auto low = event_with(R"(\ude00)");
  CHECK(high.natural_id == low.natural_id);
  CHECK(high.discriminator != low.discriminator);
  CHECK(event_with(R"(\u0061)").discriminator == event_with("a").discriminator);
  CHECK(parts_of(R"({"a":"\ud83d"})", {"a"}) != parts_of(R"({"a":"\ude00"})", {"a"}));
}
