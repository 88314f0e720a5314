#include "parse/split.hpp"

#include "unit/parse/support.hpp"

using namespace socialsync::parse;
using namespace socialsync::parse::test;

TEST_CASE("errors have the names that quarantine keeps") {
  CHECK(to_string(ParseError::not_json) == "not_json");
  CHECK(to_string(ParseError::too_deep) == "too_deep");
  CHECK(to_string(ParseError::not_a_webhook) == "not_a_webhook");
}

TEST_CASE("JSON that is no webhook is refused whole") {
  for (const char* body :
       {"null", "1", "\"entry\"", "{}", "[]", "[1]", R"({"object":"page"})", R"({"entry":[]})",
        R"({"object":"user","entry":[]})", R"({"object":7,"entry":[]})", R"({"object":"page","entry":{}})",
        R"({"object":"page","entry":null})", R"({"object":"PAGE","entry":[]})",
        R"([[{"object":"page","entry":[]}]])", R"({"field":"messages","value":{}})"}) {
    const auto webhook = split(body);
    REQUIRE_MESSAGE(webhook.has_error(), body);
    CHECK_MESSAGE(webhook.error() == ParseError::not_a_webhook, body);
  }
}

TEST_CASE("a body that is not JSON is refused") {
  for (const char* body : {"", "x", "{", "entry=1&object=page", R"({"object":"page","entry":[]} x)"}) {
    const auto webhook = split(body, Platform::whatsapp);
    REQUIRE_MESSAGE(webhook.has_error(), body);
    CHECK_MESSAGE(webhook.error() == ParseError::not_json, body);
  }
}

TEST_CASE("empty lists are a webhook with nothing in it") {
  for (const char* body :
       {R"({"object":"page","entry":[]})", R"({"object":"page","entry":[{"id":"1","changes":[]}]})",
        R"({"object":"instagram","entry":[{"id":"1","messaging":[],"standby":[]}]})"}) {
    const Webhook webhook = webhook_of(body);
    CHECK_MESSAGE(webhook.events.empty(), body);
    CHECK_MESSAGE(webhook.unreadable.empty(), body);
  }
}

TEST_CASE("the object decides, and the URL only where there is none") {
  const std::string change = R"([{"id":"1","changes":[{"field":"f","value":1}]}]})";
  CHECK(only_event_of(R"({"object":"page","entry":)" + change, Platform::whatsapp).platform ==
        Platform::messenger);
  CHECK(only_event_of(R"({"entry":)" + change, Platform::instagram).platform == Platform::instagram);
  CHECK(only_event_of(R"({"object":null,"entry":)" + change, Platform::whatsapp).platform ==
        Platform::whatsapp);
  CHECK(split(R"({"object":"x","entry":)" + change, Platform::whatsapp).has_error());
}

TEST_CASE("the platform's object is written where the body had none") {
  const Event event =
      only_event_of(R"({"entry":[{"id":"1","changes":[{"field":"f","value":1}]}]})", Platform::instagram);
  CHECK(event.payload ==
        R"({"object":"instagram","entry":[{"id":"1","changes":[{"field":"f","value":1}]}]})");
}

TEST_CASE("parts without an event are kept as they came") {
  const auto in_entry = [](const std::string& entry) {
    return only_unreadable_of(R"({"object":"page","entry":[)" + entry + "]}").bytes;
  };
  for (const char* entry :
       {"1", "null", "\"x\"", "[]", "{}", R"({"id":"1"})", R"({"id":"1","changes":null})",
        R"({"id":"1", "changes":{}})", R"({"id":"1","messaging":"x"})", R"({"field":"f"})"}) {
    CHECK_MESSAGE(in_entry(entry) == entry, entry);
  }
  for (const char* element : {"1", "null", "[]", "{}", R"({"value":{}})", R"({"field":"f"})",
                              R"({"field":"","value":1})", R"({"field":7,"value":1})"}) {
    CHECK_MESSAGE(in_entry(R"({"id":"9","changes":[)" + std::string(element) + "]}") == element, element);
  }
}

TEST_CASE("an unknown block beside a known one is kept, in an entry of its own") {
  const auto part = only_unreadable_of(
      R"({"object":"page","entry":[{"id":"P9","time":1,"messaging":[],"new_block":[{"a":1}]}]})");
  CHECK(part.platform == Platform::messenger);
  CHECK(part.entry_id == "P9");
  CHECK(part.bytes == R"({"id":"P9","time":1,"new_block":[{"a":1}]})");
  CHECK(only_unreadable_of(R"({"object":"page","entry":[)" + part.bytes + "]}").bytes == part.bytes);
}

TEST_CASE("an unknown block costs its neighbours nothing") {
  const std::string message = R"("messaging":[{"sender":{"id":"c"},"message":{"mid":"m"}}])";
  for (const std::string& entry :
       {R"({"x":{"a":1},)" + message + R"(,"y":[2]})", "{" + message + R"(,"x":{"a":1},"y":[2]})",
        std::string(R"({"x":{"a":1},"field":"f","value":{},"y":[2]})"),
        R"({"x":{"a":1},"value":[2],)" + message + "}"}) {
    const Webhook webhook = webhook_of(R"({"object":"page","entry":[)" + entry + "]}");
    CHECK_MESSAGE(webhook.events.size() == 1, entry);
    REQUIRE_MESSAGE(webhook.unreadable.size() == 2, entry);
    CHECK_MESSAGE(webhook.unreadable[0].bytes == R"({"x":{"a":1}})", entry);
    CHECK_MESSAGE(webhook.unreadable[1].bytes.ends_with(":[2]}"), entry);
  }
}

TEST_CASE("single words beside a known block are no block") {
  const Webhook webhook = webhook_of(
      R"({"object":"page","entry":[{"id":{},"time":[],"uid":"1","a":1,"b":null,"c":true,"changes":null,"messaging":[]}]})");
  CHECK(webhook.events.empty());
  CHECK(webhook.unreadable.empty());
}

TEST_CASE("an unreadable part knows its entry") {
  const auto part = only_unreadable_of(R"({"object":"instagram","entry":[{"id":17,"changes":[5]}]})");
  CHECK(part.platform == Platform::instagram);
  CHECK(part.entry_id == "17");
  CHECK(part.bytes == "5");
}

TEST_CASE("one bad part does not lose the others") {
  const Webhook webhook = webhook_of(
      R"({"object":"page","entry":[7,{"id":"1","changes":[null,{"field":"feed","value":{"id":"a"}}]},)"
      R"({"id":"2","messaging":[{"sender":{"id":"c"},"message":{"mid":"m"}}],"changes":3}]})");
  CHECK(webhook.events.size() == 2);
  CHECK(webhook.unreadable.size() == 3);
}

TEST_CASE("an array of webhooks is taken apart") {
  const std::string one = R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":1}]}]})";
  const std::string two =
      R"({"object":"instagram","entry":[{"id":"2","changes":[{"field":"f","value":1}]}]})";
  const Webhook webhook = webhook_of("[" + one + ",7," + two + "]");
  REQUIRE(webhook.events.size() == 2);
  CHECK(webhook.events[0].platform == Platform::messenger);
  CHECK(webhook.events[0].payload == one);
  CHECK(webhook.events[1].platform == Platform::instagram);
  CHECK(webhook.events[1].payload == two);
  REQUIRE(webhook.unreadable.size() == 1);
  CHECK(webhook.unreadable[0].bytes == "7");
}

TEST_CASE("a bare change is read when the URL tells its platform") {
  const std::string change =
      R"({"field":"messages","value":{"metadata":{"phone_number_id":"5"},"messages":[{"id":"w"}]}})";
  const Event event = only_event_of(change, Platform::whatsapp);
  CHECK(event.natural_id == "w");
  CHECK(event.key.entry_id.empty());
  CHECK(event.key.phone_number_id == "5");
  CHECK(event.payload.starts_with(
      R"({"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages")"));
  CHECK(webhook_of(R"({"field":"messages","value":[]})", Platform::whatsapp).unreadable.size() == 1);
}

TEST_CASE("every list of the same name is read") {
  const Webhook webhook = webhook_of(
      R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":1}],"changes":[{"field":"g","value":2}]}],)"
      R"("entry":[{"id":"2","changes":[{"field":"h","value":3}]}]})");
  REQUIRE(webhook.events.size() == 3);
  CHECK(webhook.events[2].key.entry_id == "2");
}

TEST_CASE("a list is read although the last of its name is null") {
  CHECK(only_event_of(
            R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":1}],"changes":null}]})")
            .type == "f");
}

TEST_CASE("changed fields without values are an event each") {
  const Webhook webhook = webhook_of(
      R"({"object":"page","entry":[{"id":"1","time":1760000000,"uid":"1","changed_fields":["feed","mention"]}]})");
  REQUIRE(webhook.events.size() == 2);
  CHECK(webhook.events[0].type == "feed");
  CHECK(webhook.events[0].kind == "changed_field");
  CHECK(webhook.events[0].time_ms == 1760000000000);
  CHECK(webhook.events[1].payload ==
        R"({"object":"page","entry":[{"id":"1","time":1760000000,"changed_fields":["mention"]}]})");
  CHECK(webhook.events[0].discriminator != webhook.events[1].discriminator);
}

TEST_CASE("the first events up to the limit are read, and the body is marked as cut short") {
  const auto split_with = [](int changes, std::size_t events_max) {
    std::string list = R"({"field":"f","value":0})";
    for (int i = 1; i < changes; ++i) list += R"(,{"field":"f","value":1})";
    return *split(R"({"object":"page","entry":[{"id":"1","changes":[)" + list + "]}]}", std::nullopt,
                  {.events_max = events_max});
  };
  CHECK(split_with(3, 3).events.size() == 3);
  CHECK(!split_with(3, 3).is_cut_short);
  CHECK(split_with(4, 3).events.size() == 3);
  CHECK(split_with(4, 3).is_cut_short);
  const auto unreadable = split(R"({"object":"page","entry":[1,2,3,4]})", std::nullopt, {.events_max = 3});
  CHECK(unreadable->unreadable.size() == 3);
  CHECK(unreadable->is_cut_short);
}

TEST_CASE("a body that would grow without bound is cut short") {
  std::string messages = R"({"id":"0"})";
  for (int i = 1; i < 4000; ++i) messages += R"(,{"id":")" + std::to_string(i) + R"("})";
  const Webhook webhook =
      webhook_of(whatsapp(R"({"x":")" + std::string(1'000'000, 'x') + R"(","messages":[)" + messages + "]}"));
  CHECK(webhook.is_cut_short);
  CHECK(webhook.events.size() == 16);
}

TEST_CASE("depth has its own reason") {
  const auto nested = [](std::size_t depth) {
    return R"({"object":"page","entry":[{"changes":[{"field":"f","value":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}]}]}";
  };
  CHECK(split(nested(59)).has_value());
  REQUIRE(split(nested(60)).has_error());
  CHECK(split(nested(60)).error() == ParseError::too_deep);
  CHECK(split(nested(3'000'000)).error() == ParseError::too_deep);
}

TEST_CASE("a splitter is as good after a bad body as before") {
  Splitter splitter;
  std::string good = R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":"\u0000"}]}]})";
  std::string fit = R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":"x"}]}]})";
  std::string bad = R"({"object":"page","entry":[{"id":"1")";
  for (int round = 0; round < 3; ++round) {
    CHECK(splitter.split(bad, std::nullopt).has_error());
    CHECK(splitter.split(good, std::nullopt)->events.front().exact_payload.has_value());
    CHECK(!splitter.split(fit, std::nullopt)->events.front().exact_payload.has_value());
  }
}

TEST_CASE("the body keeps its content") {
  const std::string text =
      R"({"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":"\u0000"}]}]})";
  std::string body = text;
  body.shrink_to_fit();
  REQUIRE(Splitter().split(body, std::nullopt).has_value());
  CHECK(body == text);
}
