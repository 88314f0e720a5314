#include "unit/parse/support.hpp"

using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

Event message(const std::string& element) {
  return only_event_of(whatsapp(R"({"messages":[)" + element + "]}"));
}

Event status(const std::string& element) {
  return only_event_of(whatsapp(R"({"statuses":[)" + element + "]}"));
}

}  // namespace

TEST_CASE("a message is known by its id") {
  const Event event = only_event_of(whatsapp(
      R"({"metadata":{"phone_number_id":"5"},"messages":[{"id":"wamid.A","from":"33","timestamp":"1760000001"}]})"));
  CHECK(event.platform == Platform::whatsapp);
  CHECK(event.key.entry_id == "700");
  CHECK(event.key.phone_number_id == "5");
  CHECK(event.type == "messages");
  CHECK(event.kind == "message");
  CHECK(event.natural_id == "wamid.A");
  CHECK(event.discriminator.empty());
  CHECK(event.time_ms == 1760000001000);
  CHECK(event.customer == "33");
}

TEST_CASE("a message without a time has its entry's") {
  CHECK(message(R"({"id":"a"})").time_ms == 1760000000000);
  CHECK(message(R"({"id":"a","timestamp":"TIMESTAMP"})").time_ms == 1760000000000);
}

TEST_CASE("messages without an id are deduplicated by their bytes") {
  CHECK(message(R"({"from":"1","x":1})").discriminator != message(R"({"from":"1","x":2})").discriminator);
  CHECK(message(R"({"from":"1","x":1})").discriminator == message(R"({"from":"1","x":1})").discriminator);
}

TEST_CASE("a message without an id is the same in another entry, at another time") {
  const auto discriminator = [](const std::string& time) {
    return only_event_of(R"({"object":"whatsapp_business_account","entry":[{"id":"1","time":)" + time +
                         R"(,"changes":[{"field":"messages","value":{"messages":[{"from":"1"}]}}]}]})")
        .discriminator;
  };
  CHECK(discriminator("1760000000") == discriminator("1760000001"));
}

TEST_CASE("the customer is the business-scoped user id, then the number") {
  CHECK(message(R"({"id":"a","from":"33","from_user_id":"FR.1"})").customer == "FR.1");
  CHECK(message(R"({"id":"a","from":"33"})").customer == "33");
  CHECK(message(R"({"id":"a","from":33})").customer == "33");
  for (const char* number : {"", R"(,"from":"")", R"(,"from":null)", R"(,"from":{})"}) {
    CHECK(message(R"({"id":"a","from_user_id":"FR.1")" + std::string(number) + "}").customer == "FR.1");
    CHECK(message(R"({"id":"a","from_user_id":"")" + std::string(number) + "}").customer.empty());
  }
}

TEST_CASE("a status of a person and of a group") {
  CHECK(status(R"({"id":"a","status":"sent","recipient_id":"33","recipient_user_id":"FR.1"})").customer ==
        "FR.1");
  CHECK(status(R"({"id":"a","status":"sent","recipient_id":"33","recipient_user_id":""})").customer == "33");
  CHECK(
      status(
          R"({"id":"a","status":"sent","recipient_id":"g1","recipient_type":"group","recipient_user_id":"FR.1"})")
          .customer == "g1");
}

TEST_CASE("statuses are deliveries or reads") {
  for (const char* word : {"sent", "delivered", "failed", "deleted", "warning", ""}) {
    CHECK_MESSAGE(status(R"({"id":"a","status":")" + std::string(word) + "\"}").type == "message_deliveries",
                  word);
  }
  for (const char* word : {"read", "played"}) {
    CHECK_MESSAGE(status(R"({"id":"a","status":")" + std::string(word) + "\"}").type == "message_reads",
                  word);
  }
}

TEST_CASE("a status differs by its word, its participant and its time") {
  const std::string base = R"({"id":"a","status":"sent","timestamp":"1760000001"})";
  const Event event = status(base);
  CHECK(event.kind == "status");
  CHECK(event.natural_id == "a");
  for (const char* other :
       {R"({"id":"a","status":"delivered","timestamp":"1760000001"})",
        R"({"id":"a","status":"sent","timestamp":"1760000002"})",
        R"({"id":"a","status":"sent","timestamp":"1760000001","recipient_participant_id":"1"})",
        R"({"id":"a","status":"sent","timestamp":"1760000001","recipient_participant_user_id":"1"})"}) {
    CHECK_MESSAGE(status(other).discriminator != event.discriminator, other);
  }
  CHECK(status(R"({"id":"a","status":"sent","timestamp":"1760000001","pricing":{"x":1}})").discriminator ==
        event.discriminator);
}

TEST_CASE("the guide's test body: no object, no metadata, no time") {
  const Event event = only_event_of(
      R"({"entry":[{"id":"683178638221369","changes":[{"field":"messages","value":{"messages":[)"
      R"({"id":"msg_test_123","from":"33700000001","type":"text","text":{"body":"Test"}}]}}]}]})",
      Platform::whatsapp);
  CHECK(event.key.entry_id == "683178638221369");
  CHECK(event.key.phone_number_id.empty());
  CHECK(event.natural_id == "msg_test_123");
  CHECK(event.customer == "33700000001");
  CHECK(!event.time_ms);
}

TEST_CASE("two tenants in one body: each event has its own key and only its own content") {
  const Webhook webhook = webhook_of(
      R"({"object":"whatsapp_business_account","entry":[)"
      R"({"id":"waba-1","changes":[)"
      R"({"field":"messages","value":{"metadata":{"phone_number_id":"p1"},"messages":[{"id":"a1"},{"id":"a2"}]}},)"
      R"({"field":"messages","value":{"metadata":{"phone_number_id":"p2"},"messages":[{"id":"b1"}]}}]},)"
      R"({"id":"waba-2","changes":[)"
      R"({"field":"messages","value":{"metadata":{"phone_number_id":"p3"},"messages":[{"id":"c1"},{"id":"c2"}]}}]}]})");
  REQUIRE(webhook.events.size() == 5);
  const char* expected[][3] = {{"waba-1", "p1", "a1"},
                               {"waba-1", "p1", "a2"},
                               {"waba-1", "p2", "b1"},
                               {"waba-2", "p3", "c1"},
                               {"waba-2", "p3", "c2"}};
  for (std::size_t i = 0; i < 5; ++i) {
    const Event& event = webhook.events[i];
    CHECK(event.key.entry_id == expected[i][0]);
    CHECK(event.key.phone_number_id == expected[i][1]);
    CHECK(event.natural_id == expected[i][2]);
    for (const auto& other : expected) {
      CHECK((event.payload.find(other[2]) != std::string::npos) == (event.natural_id == other[2]));
      CHECK((event.payload.find(other[1]) != std::string::npos) == (event.key.phone_number_id == other[1]));
      CHECK((event.payload.find(other[0]) != std::string::npos) == (event.key.entry_id == other[0]));
    }
  }
}

TEST_CASE("errors of a value are an event of their own") {
  const Event alone =
      only_event_of(whatsapp(R"({"metadata":{"phone_number_id":"5"},"errors":[{"code":1}]})"));
  CHECK(alone.kind == "errors");
  CHECK(alone.type == "messages");
  CHECK(alone.key.phone_number_id == "5");
  CHECK(alone.natural_id.empty());
  CHECK(!alone.discriminator.empty());
  const Webhook both = webhook_of(whatsapp(R"({"errors":[{"code":1}],"messages":[{"id":"a"}]})"));
  REQUIRE(both.events.size() == 2);
  CHECK(both.events[0].payload.find("messages\":[") == std::string::npos);
  CHECK(both.events[1].payload.find("errors") == std::string::npos);
  CHECK(both.events[0].discriminator == alone.discriminator);
}

TEST_CASE("blocks of the wrong type lose nothing but themselves") {
  const Event event = only_event_of(whatsapp(
      R"({"metadata":[1],"contacts":"x","messaging_product":7,"messages":[{"id":5,"from":[],"timestamp":{},"text":"x"}]})"));
  CHECK(event.natural_id == "5");
  CHECK(event.key.phone_number_id.empty());
  CHECK(event.customer.empty());
  CHECK(event.time_ms == 1760000000000);
  CHECK(only_event_of(whatsapp(R"({"metadata":{"phone_number_id":55},"messages":[{"id":"a"}]})"))
            .key.phone_number_id == "55");
}

TEST_CASE("a list of the wrong type is kept, and the other list read") {
  const Webhook webhook = webhook_of(whatsapp(R"({"messages":"x","statuses":[{"id":"a","status":"sent"}]})"));
  REQUIRE(webhook.events.size() == 1);
  CHECK(webhook.events[0].kind == "status");
  REQUIRE(webhook.unreadable.size() == 1);
  CHECK(webhook.unreadable[0].bytes.starts_with(R"({"field":"messages","value":{"messages":"x")"));
}

TEST_CASE("an element that is no object is kept, and the others read") {
  const Webhook webhook = webhook_of(whatsapp(R"({"messages":[{"id":"a"},"b",{"id":"c"}]})"));
  CHECK(webhook.events.size() == 2);
  REQUIRE(webhook.unreadable.size() == 1);
  CHECK(webhook.unreadable[0].bytes == "\"b\"");
}

TEST_CASE("a value of messages that is no object is unreadable") {
  for (const char* value : {"null", "[]", "\"x\"", "1"}) {
    CHECK_MESSAGE(only_unreadable_of(whatsapp(value)).entry_id == "700", value);
  }
}

TEST_CASE("a value with nothing in its lists stays whole") {
  const Event event = only_event_of(whatsapp(R"({"messages":[],"contacts":[{"wa_id":"1"}]})"));
  CHECK(event.kind == "change");
  CHECK(event.payload.find(R"({"messages":[],"contacts":[{"wa_id":"1"}]})") != std::string::npos);
}

TEST_CASE("other fields are one event, deduplicated by value and entry time") {
  const std::string value = R"({"event":"APPROVED","message_template_id":9900000000000002})";
  const Event event = only_event_of(whatsapp(value, "message_template_status_update"));
  CHECK(event.kind == "change");
  CHECK(event.type == "message_template_status_update");
  CHECK(event.natural_id == "9900000000000002");
  CHECK(event.time_ms == 1760000000000);
  const auto discriminator = [](const std::string& time, const std::string& content) {
    return only_event_of(R"({"object":"whatsapp_business_account","entry":[{"id":"1","time":)" + time +
                         R"(,"changes":[{"field":"flows","value":)" + content + "}]}]}")
        .discriminator;
  };
  CHECK(discriminator("1", "{}") == discriminator("1", "{}"));
  CHECK(discriminator("1", "{}") != discriminator("2", "{}"));
  CHECK(discriminator("1", "{}") != discriminator("1", "7"));
}

TEST_CASE("settings of a number route by that number") {
  CHECK(only_event_of(
            whatsapp(R"({"phone_number_settings":{"phone_number_id":"8"}})", "account_settings_update"))
            .key.phone_number_id == "8");
}

TEST_CASE("history stays whole, with all its messages") {
  const Event event = only_event_of(whatsapp(
      R"({"metadata":{"phone_number_id":"5"},"history":[{"metadata":{"phase":0},"threads":[{"id":"33","messages":[{"id":"a"},{"id":"b"}]}]}]})",
      "history"));
  CHECK(event.kind == "history");
  CHECK(event.type == "history");
  CHECK(event.customer == "33");
  CHECK(event.key.phone_number_id == "5");
}

TEST_CASE("the media of history come one by one, and are not their messages of the time") {
  const Webhook webhook = webhook_of(whatsapp(R"({"messages":[{"id":"a"},{"id":"b"}]})", "history"));
  REQUIRE(webhook.events.size() == 2);
  CHECK(webhook.events[0].kind == "history_message");
  CHECK(webhook.events[1].natural_id == "b");
}

TEST_CASE("a change that names no number has its own routing key") {
  const auto key_of = [](const std::string& field, const std::string& value) {
    return only_event_of(whatsapp(value, field)).key;
  };
  CHECK(key_of("phone_number_name_update", R"({"display_phone_number":"+1 555"})").display_phone_number ==
        "+1 555");
  CHECK(key_of("account_update", R"({"phone_number":"1555","event":"ACCOUNT_VIOLATION"})")
            .display_phone_number == "1555");
  CHECK_FALSE(key_of("account_update", R"({"phone_number":"1555"})").is_app_level);
  const auto partner = key_of("account_update", R"({"event":"PARTNER_ADDED","waba_info":{"waba_id":"901"}})");
  CHECK(partner.waba_id == "901");
  CHECK(partner.is_app_level);
  const auto certified =
      key_of("account_update", R"({"partner_client_certification_info":{"client_business_id":"3"}})");
  CHECK(certified.is_app_level);
  CHECK(certified.business_id == "3");
  CHECK(key_of("account_update", R"({"waba_info":{"waba_id":"901","owner_business_id":4}})").business_id ==
        "4");
  CHECK(key_of("partner_solutions", "{}").is_app_level);
  const auto numbered = key_of(
      "x", R"({"metadata":{"phone_number_id":"5"},"display_phone_number":"1","waba_info":{"waba_id":"9"}})");
  CHECK(numbered.display_phone_number.empty());
  CHECK(
      key_of("messages", R"({"metadata":{"phone_number_id":"5","display_phone_number":"1"},"messages":[{}]})")
          .display_phone_number == "1");
  CHECK(numbered.waba_id.empty());
}

TEST_CASE("a template may be approved again, at another time") {
  const auto approved = [](const std::string& time, const std::string& more) {
    return only_event_of(
        R"({"object":"whatsapp_business_account","entry":[{"id":"1","time":)" + time +
        R"(,"changes":[{"field":"message_template_status_update","value":{"event":"APPROVED","message_template_id":9900000000000002)" +
        more + "}}]}]}");
  };
  CHECK(approved("1", "").natural_id == "9900000000000002");
  CHECK(approved("1", "").discriminator == approved("1", R"(,"reason":"NONE")").discriminator);
  CHECK(approved("1", "").discriminator != approved("2", "").discriminator);
}

TEST_CASE("a long field name is cut for its column but not for its identity") {
  const auto change = [](char last) { return only_event_of(whatsapp("{}", std::string(60, 'f') + last)); };
  CHECK(change('a').type == std::string(50, 'f'));
  CHECK(change('a').discriminator != change('b').discriminator);
}

TEST_CASE("the further lists: kind, type, customer") {
  struct Case {
    const char* field;
    const char* list;
    const char* element;
    const char* kind;
    const char* natural_id;
    const char* customer;
  };
  constexpr Case cases[] = {
      {"message_echoes", "message_echoes", R"({"id":"e","to":"1"})", "echo", "e", "1"},
      {"smb_message_echoes", "message_echoes", R"({"id":"e","to":"1","to_user_id":"US.1"})", "echo", "e",
       "US.1"},
      {"calls", "calls", R"({"id":"c","event":"connect","from":"1","to":"2"})", "call", "c", "1"},
      {"calls", "calls",
       R"({"id":"c","event":"terminate","from":"1","to":"2","direction":"BUSINESS_INITIATED"})", "call", "c",
       "2"},
      {"calls", "statuses", R"({"id":"c","status":"RINGING","recipient_id":"2"})", "call_status", "c", "2"},
      {"user_preferences", "user_preferences", R"({"wa_id":"1","category":"m","value":"stop"})", "preference",
       "", "1"},
      {"smb_app_state_sync", "state_sync", R"({"action":"add","contact":{"phone_number":"1"}})", "state_sync",
       "", "1"},
      {"automatic_events", "automatic_events", R"({"id":"w","event_name":"Purchase"})", "automatic_event",
       "w", ""},
      {"user_id_update", "user_id_update",
       R"({"wa_id":"1","user_id":{"previous":"US.1","current":"US.2"},"timestamp":"1760000001"})", "user_id",
       "", "US.2"},
      {"group_lifecycle_update", "groups", R"({"group_id":"g","type":"group_create"})", "group", "g", ""},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.element);
    const Event event = only_event_of(
        whatsapp(R"({")" + std::string(expected.list) + R"(":[)" + expected.element + "]}", expected.field));
    CHECK(event.type == expected.field);
    CHECK(event.kind == expected.kind);
    CHECK(event.natural_id == expected.natural_id);
    CHECK(event.customer == expected.customer);
  }
}

TEST_CASE("a contact's synchronisation has its time in its metadata") {
  CHECK(only_event_of(
            whatsapp(R"({"state_sync":[{"metadata":{"timestamp":"1760000009"}}]})", "smb_app_state_sync"))
            .time_ms == 1760000009000);
}
