// messaging[], standby[] and changes[] of Instagram and Messenger.
#include "unit/parse/support.hpp"

using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

std::string element(const std::string& what) {
  return R"({"sender":{"id":"11"},"recipient":{"id":"22"},"timestamp":1760000001123,)" + what + "}";
}

Event instagram(const std::string& what) { return only_event_of(with_messaging("instagram", element(what))); }
Event messenger(const std::string& what) { return only_event_of(with_messaging("page", element(what))); }

}  // namespace

TEST_CASE("a message of Instagram") {
  const Event event = instagram(R"("message":{"mid":"m1","text":"x"})");
  CHECK(event.platform == Platform::instagram);
  CHECK(event.key.entry_id == "700");
  CHECK(event.type == "messages");
  CHECK(event.kind == "message");
  CHECK(event.natural_id == "m1");
  CHECK(event.discriminator.empty());
  CHECK(event.customer == "11");
  CHECK(event.time_ms == 1760000001123);
}

TEST_CASE("echoes, deletions and deleted echoes share a mid and are different events") {
  const Event echo = instagram(R"("message":{"mid":"m1","is_echo":true})");
  CHECK(echo.kind == "echo");
  CHECK(echo.type == "message_echoes");
  CHECK(echo.customer == "22");
  const Event deleted = instagram(R"("message":{"mid":"m1","is_deleted":true})");
  CHECK(deleted.kind == "deleted");
  CHECK(deleted.type == "messages");
  CHECK(deleted.customer == "11");
  const Event deleted_echo = instagram(R"("message":{"mid":"m1","is_deleted":true,"is_echo":true})");
  CHECK(deleted_echo.kind == "deleted");
  CHECK(deleted_echo.customer == "22");
  CHECK(instagram(R"("message":{"mid":"m1","is_echo":false,"is_deleted":"true"})").kind == "message");
}

TEST_CASE("the event of each member of an element") {
  struct Case {
    const char* what;
    const char* kind;
    const char* natural_id;
    const char* instagram_type;
    const char* messenger_type;
  };
  constexpr Case cases[] = {
      {R"("reaction":{"mid":"m","action":"react"})", "reaction", "m", "message_reactions",
       "message_reactions"},
      {R"("read":{"mid":"m"})", "read", "m", "message_reads", "message_reads"},
      {R"("read":{"watermark":5})", "read", "5", "message_reads", "message_reads"},
      {R"("delivery":{"mids":["m"],"watermark":5})", "delivery", "m", "message_deliveries",
       "message_deliveries"},
      {R"("postback":{"mid":"m","payload":"p"})", "postback", "m", "messaging_postbacks",
       "messaging_postbacks"},
      {R"("postback":{"payload":"p"})", "postback", "", "messaging_postbacks", "messaging_postbacks"},
      {R"("referral":{"ref":"r"})", "referral", "", "messaging_referral", "messaging_referrals"},
      {R"("optin":{"type":"x"})", "optin", "", "messaging_optins", "messaging_optins"},
      {R"("message_edit":{"mid":"m","num_edit":1})", "edit", "m", "message_edit", "message_edits"},
      {R"("pass_thread_control":{})", "handover", "", "messaging_handover", "messaging_handovers"},
      {R"("app_roles":{"1":["x"]})", "handover", "", "messaging_handover", "messaging_handovers"},
      {R"("account_linking":{})", "account_linking", "", "messaging_account_linking",
       "messaging_account_linking"},
      {R"("new_thing":{})", "messaging", "", "messaging_new_thing", "messaging_new_thing"},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.what);
    const Event on_instagram = instagram(expected.what);
    CHECK(on_instagram.kind == expected.kind);
    CHECK(on_instagram.natural_id == expected.natural_id);
    CHECK(on_instagram.type == expected.instagram_type);
    const Event on_messenger = messenger(expected.what);
    CHECK(on_messenger.kind == expected.kind);
    CHECK(on_messenger.type == expected.messenger_type);
    CHECK(on_messenger.natural_id.empty() == !*expected.natural_id);
    CHECK((on_messenger.natural_id.empty() ? !on_messenger.discriminator.empty() : true));
  }
}

TEST_CASE("reactions differ by sender, action and time; edits by their number") {
  const auto reaction = [](const char* sender, const char* action, const char* time) {
    return only_event_of(with_messaging("page", R"({"sender":{"id":")" + std::string(sender) +
                                                    R"("},"timestamp":)" + time +
                                                    R"(,"reaction":{"mid":"m","action":")" + action + "\"}}"))
        .discriminator;
  };
  CHECK(reaction("1", "react", "5") == reaction("1", "react", "5"));
  CHECK(reaction("1", "react", "5") != reaction("2", "react", "5"));
  CHECK(reaction("1", "react", "5") != reaction("1", "unreact", "5"));
  CHECK(reaction("1", "react", "5") != reaction("1", "react", "6"));
  CHECK(messenger(R"("message_edit":{"mid":"m","num_edit":1})").discriminator !=
        messenger(R"("message_edit":{"mid":"m","num_edit":2})").discriminator);
}

TEST_CASE("an opt-in without a sender is known by its reference") {
  CHECK(only_event_of(with_messaging("page", R"({"recipient":{"id":"2"},"optin":{"user_ref":"u"}})"))
            .customer == "u");
}

TEST_CASE("standby is a type of its own, with identities of its own") {
  const Event event =
      only_event_of(with_messaging("instagram", element(R"("message":{"mid":"m1"})"), "standby"));
  CHECK(event.type == "standby");
  CHECK(event.kind == "standby:message");
  CHECK(event.natural_id == "m1");
  CHECK(event.payload.find(R"("standby":[{"sender")") != std::string::npos);
  CHECK(only_event_of(with_messaging("page", element(R"("x":1)"), "standby")).kind == "standby:messaging");
}

TEST_CASE("numeric ids and times in seconds, as old Pages send them") {
  const Event event = only_event_of(
      R"({"object":"page","entry":[{"id":71,"time":1760000000,"messaging":[{"sender":{"id":11},"recipient":{"id":71},)"
      R"("timestamp":"1760000001","message":{"mid":"m"}}]}]})");
  CHECK(event.key.entry_id == "71");
  CHECK(event.customer == "11");
  CHECK(event.time_ms == 1760000001000);
}

TEST_CASE("an element in which nothing happened is unreadable") {
  for (const char* what : {"{}", "7", "null", R"({"sender":{"id":"1"},"recipient":{"id":"2"},"timestamp":5})",
                           R"({"sender":{"id":"1"},"message":null})"}) {
    CHECK_MESSAGE(only_unreadable_of(with_messaging("page", what)).bytes == what, what);
  }
}

TEST_CASE("a member of the wrong type is still its event") {
  const Event event = messenger(R"("message":"x")");
  CHECK(event.kind == "message");
  CHECK(event.natural_id.empty());
  CHECK(!event.discriminator.empty());
}

TEST_CASE("a direct message in changes is the same event as in messaging") {
  const Event in_messaging = instagram(R"("message":{"mid":"m1"})");
  const Event in_changes =
      only_event_of(with_change("instagram", "messages", element(R"("message":{"mid":"m1"})")));
  CHECK(in_changes.kind == in_messaging.kind);
  CHECK(in_changes.natural_id == in_messaging.natural_id);
  CHECK(in_changes.discriminator == in_messaging.discriminator);
  CHECK(in_changes.time_ms == in_messaging.time_ms);
  CHECK(in_changes.type == "messages");
  CHECK(in_changes.payload.find(R"("changes":[{"field":"messages","value":{"sender")") != std::string::npos);
}

TEST_CASE("a change that only resembles a message is itself") {
  for (const char* value : {R"({"sender":{"id":"1"},"message":"x"})", R"({"message":{"mid":"m"}})"}) {
    const Event event = only_event_of(with_change("page", "feed", value));
    CHECK_MESSAGE(event.kind == "change", value);
    CHECK_MESSAGE(event.type == "feed", value);
  }
}

TEST_CASE("a comment has its id under either name") {
  for (const char* name : {"id", "comment_id"}) {
    const Event event = only_event_of(
        with_change("instagram", "comments",
                    R"({")" + std::string(name) + R"(":"c1","from":{"id":"9","username":"u"}})"));
    CHECK(event.type == "comments");
    CHECK(event.kind == "comment");
    CHECK(event.natural_id == "c1");
    CHECK(event.customer == "9");
    CHECK(event.time_ms == 1760000000000);
  }
  const auto discriminator = [](const char* field) {
    return only_event_of(with_change("instagram", field, R"({"id":"c1"})")).discriminator;
  };
  CHECK(discriminator("comments") != discriminator("live_comments"));
}

TEST_CASE("a flat comment on the entry is the same event as in changes") {
  const std::string value = R"({"id":"c1","from":{"id":"9"},"text":"x"})";
  const Event flat = only_event_of(
      R"({"object":"instagram","entry":[{"id":"700","time":1760000000,"field":"comments","value":)" + value +
      "}]}");
  const Event nested = only_event_of(with_change("instagram", "comments", value));
  CHECK(flat.kind == nested.kind);
  CHECK(flat.natural_id == nested.natural_id);
  CHECK(flat.discriminator == nested.discriminator);
  CHECK(flat.payload ==
        R"({"object":"instagram","entry":[{"id":"700","time":1760000000,"field":"comments","value":)" +
            value + "}]}");
}

TEST_CASE("a comment without an id is deduplicated by its value") {
  const Event event = only_event_of(with_change("instagram", "comments", R"({"text":"x"})"));
  CHECK(event.kind == "comment");
  CHECK(event.type == "comments");
  CHECK(event.discriminator.find(R"({"text":"x"})") != std::string::npos);
}

TEST_CASE("mentions and insights of one media with another time are other events, comments are not") {
  const auto event_at = [](const std::string& time, const std::string& field) {
    return only_event_of(R"({"object":"instagram","entry":[{"id":"1","time":)" + time +
                         R"(,"changes":[{"field":")" + field + R"(","value":{"id":"m","media_id":"m"}}]}]})");
  };
  for (const char* field : {"mentions", "story_insights"}) {
    CHECK(event_at("1", field).natural_id == "m");
    CHECK(event_at("1", field).discriminator == event_at("1", field).discriminator);
    CHECK(event_at("1", field).discriminator != event_at("2", field).discriminator);
  }
  CHECK(event_at("1", "comments").discriminator == event_at("2", "comments").discriminator);
}

TEST_CASE("a Page's changes are deduplicated by value and time") {
  const Event event = only_event_of(with_change(
      "page", "feed", R"({"item":"comment","verb":"add","comment_id":"c","from":{"id":"9"},"message":"x"})"));
  CHECK(event.platform == Platform::messenger);
  CHECK(event.type == "feed");
  CHECK(event.kind == "change");
  CHECK(event.natural_id == "c");
  CHECK(event.customer == "9");
  CHECK(event.time_ms == 1760000000000);
}
