// The content of a payload, and its repair where jsonb would refuse it.
#include "unit/parse/support.hpp"

using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

constexpr const char* two_messages =
    R"({"messaging_product":"whatsapp","metadata":{"phone_number_id":"5","display_phone_number":"1"},)"
    R"("contacts":[{"wa_id":"11","profile":{"name":"A"}},{"wa_id":"22"}],)"
    R"("messages":[{"from":"22","id":"w2","timestamp":"1760000002"},{"from":"11","id":"w1","timestamp":"1760000001"}],)"
    R"("statuses":[{"id":"s1","status":"sent","recipient_id":"33"}]})";

}  // namespace

TEST_CASE("a payload holds its event, the siblings and its own contact, and nothing else") {
  const Webhook webhook = webhook_of(whatsapp(two_messages));
  REQUIRE(webhook.events.size() == 3);
  const std::string head =
      R"({"object":"whatsapp_business_account","entry":[{"id":"700","time":1760000000,"changes":[{"field":"messages",)"
      R"("value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"5","display_phone_number":"1"},)";
  CHECK(
      webhook.events[0].payload ==
      head +
          R"("contacts":[{"wa_id":"22"}],"messages":[{"from":"22","id":"w2","timestamp":"1760000002"}]}}]}]})");
  CHECK(webhook.events[1].payload ==
        head + R"("contacts":[{"wa_id":"11","profile":{"name":"A"}}],)" +
            R"("messages":[{"from":"11","id":"w1","timestamp":"1760000001"}]}}]}]})");
  CHECK(webhook.events[2].payload ==
        head + R"("statuses":[{"id":"s1","status":"sent","recipient_id":"33"}]}}]}]})");
}

TEST_CASE("a contact goes with whoever names it, by number or by user id") {
  const auto payload_of = [](const std::string& contact, const std::string& list) {
    return only_event_of(whatsapp(R"({"contacts":[{"wa_id":"0"},)" + contact + "]," + list + "}")).payload;
  };
  const std::string by_user = R"({"user_id":"US.7"})";
  for (const char* list : {R"("messages":[{"id":"a","from_user_id":"US.7"}])",
                           R"("statuses":[{"id":"a","recipient_user_id":"US.7"}])"}) {
    const std::string payload = payload_of(by_user, list);
    CHECK_MESSAGE(payload.find(R"("contacts":[{"user_id":"US.7"}])") != std::string::npos, payload);
  }
  CHECK(payload_of(R"({"wa_id":"1\u0031"})", R"("messages":[{"id":"a","from":"11"}])").find("contacts") !=
        std::string::npos);
}

TEST_CASE("contacts are found in any order, and keep theirs") {
  const Webhook webhook = webhook_of(whatsapp(
      R"({"contacts":[{"wa_id":"9"},{"wa_id":"1"},{"wa_id":"5"},{"user_id":"2"},{"wa_id":"1","n":2}],)"
      R"("messages":[{"from":"9"},{"from":"5","to":"9"},{"from":"1"},{"from_user_id":"2"}]})"));
  REQUIRE(webhook.events.size() == 4);
  const char* expected[] = {R"("contacts":[{"wa_id":"9"}],)", R"("contacts":[{"wa_id":"9"},{"wa_id":"5"}],)",
                            R"("contacts":[{"wa_id":"1"},{"wa_id":"1","n":2}],)",
                            R"("contacts":[{"user_id":"2"}],)"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_MESSAGE(webhook.events[i].payload.find(expected[i]) != std::string::npos,
                  webhook.events[i].payload);
  }
}

TEST_CASE("a lone contact stays with a lone event") {
  const std::string lone =
      only_event_of(whatsapp(R"({"contacts":[{"wa_id":"1"}],"messages":[{"id":"a","from":"2"}]})")).payload;
  CHECK(lone.find(R"("contacts":[{"wa_id":"1"}])") != std::string::npos);
  const Webhook two =
      webhook_of(whatsapp(R"({"contacts":[{"wa_id":"1"}],"messages":[{"id":"a"},{"id":"b"}]})"));
  for (const Event& event : two.events) CHECK(event.payload.find("contacts") == std::string::npos);
}

TEST_CASE("an event has the first few contacts that it names, each once") {
  std::string contacts;
  std::string first_contacts;
  for (int i = 0; i < 100; ++i) {
    const std::string id = i % 2 == 0 ? "1" : "2";
    contacts += R"({"wa_id":")" + id + R"(","user_id":")" + id + R"(","n":)" + std::to_string(i) + "},";
    if (i == 15) first_contacts = contacts;
  }
  contacts.back() = ']';
  first_contacts.back() = ']';
  const Event event = only_event_of(whatsapp(
      R"({"contacts":[)" + contacts +
      R"(,"messages":[{"id":"a","from":"2","to":"1","wa_id":"1","user_id":"2","recipient_id":"1"}]})"));
  CHECK_MESSAGE(event.payload.find(R"("contacts":[)" + first_contacts + ",") != std::string::npos,
                event.payload);
  CHECK(only_event_of(event.payload).payload == event.payload);
}

TEST_CASE("contacts of the wrong type harm nothing and stay") {
  for (const char* contacts : {"7", "\"x\"", "{}", "[7]", "[{}]", R"([{"wa_id":{}}])"}) {
    const Event event = only_event_of(
        whatsapp(R"({"contacts":)" + std::string(contacts) + R"(,"messages":[{"id":"a","from":"2"}]})"));
    CHECK_MESSAGE(event.payload.find(R"("contacts":)" + std::string(contacts)) != std::string::npos,
                  contacts);
  }
}

TEST_CASE("ids and times of an entry stay as they came") {
  const Event event = only_event_of(
      R"({"object":"page","entry":[{"time":"1760000000","id":123456789012345678901,"x":1,"messaging":[{"sender":{"id":5},"message":{"mid":"m"}}]}]})");
  CHECK(event.key.entry_id == "123456789012345678901");
  CHECK(
      event.payload ==
      R"({"object":"page","entry":[{"id":123456789012345678901,"time":"1760000000","messaging":[{"sender":{"id":5},"message":{"mid":"m"}}]}]})");
}

TEST_CASE("escapes are not touched") {
  const std::string value = R"({"text":"a\/b \u003C\u0040 \ud83d\ude00 \\u0000 é"})";
  const Event event = only_event_of(with_change("page", "feed", value));
  CHECK(event.payload.find(value) != std::string::npos);
  CHECK(!event.exact_payload);
}

TEST_CASE("values that jsonb refuses are repaired, and the exact bytes are kept") {
  const std::string message = R"({"id":"a","text":{"body":"x\u0000y \ud83d"},"n":1e400000})";
  const Event event = only_event_of(whatsapp(R"({"messages":[)" + message + "]}"));
  REQUIRE(event.exact_payload.has_value());
  CHECK(event.exact_payload->find(message) != std::string::npos);
  CHECK(event.payload.find(R"({"id":"a","text":{"body":"x\ufffdy \ufffd"},"n":"1e400000"})") !=
        std::string::npos);
}

TEST_CASE("only the event that needs repair is repaired") {
  const Webhook webhook =
      webhook_of(whatsapp(R"({"messages":[{"id":"a","t":"\u0000"},{"id":"b","t":"ok"}]})"));
  REQUIRE(webhook.events.size() == 2);
  CHECK(webhook.events[0].exact_payload.has_value());
  CHECK(!webhook.events[1].exact_payload.has_value());
}

TEST_CASE("ids never hold what text cannot") {
  const Event event = only_event_of(whatsapp(R"({"messages":[{"id":"a\u0000b","from":"\ud83d"}]})"));
  CHECK(event.natural_id == "a\uFFFDb");
  CHECK(event.customer == "\uFFFD");
}
