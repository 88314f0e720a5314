#include "parse/persons.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "parse/json_check.hpp"

namespace socialsync::parse {
namespace {

using Ids = std::set<std::string>;

PersonFound found_in(std::string body, const Ids& ids) {
  JsonChecker checker;
  const auto root = checker.check(body, 64);
  REQUIRE_MESSAGE(root.has_value(), body);
  return look_for(*root, ids);
}

// A WhatsApp body with this value.
std::string whatsapp_body(const std::string& value) {
  return R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":)" +
         value + "}]}]}";
}

Involvement involvement(const std::string& value, const Ids& ids = {"33600000001"}) {
  return found_in(whatsapp_body(value), ids).involvement;
}

TEST_CASE("persons: whom an event is about") {
  for (
      const char* value : {
          R"({"messages":[{"from":"33600000001","id":"wamid.x"}]})",
          R"({"messages":[{"from":"+33600000001"}]})",
          R"({"message_echoes":[{"from":"1","to":"33600000001"}]})",
          R"({"statuses":[{"recipient_id":"33600000001"}]})",
          R"({"statuses":[{"recipient_id":"g","recipient_type":"group","recipient_participant_id":"33600000001"}]})",
          R"({"contacts":[{"wa_id":"33600000001"}],"errors":[]})",
          R"({"calls":[{"from":"1","to":"33600000001"}]})",
          R"({"user_preferences":[{"wa_id":"33600000001"}]})",
          R"({"state_sync":[{"contact":{"phone_number":"33600000001"}}]})",
          R"({"groups":[{"added_participants":[{"wa_id":"33600000002"},{"wa_id":"33600000001"}]}]})",
          R"({"user_id_update":[{"wa_id":"33600000001","user_id":{"previous":"a","current":"b"}}]})",
          R"({"messages":[{"from":"2","system":{"wa_id":"33600000001"}}]})",
          R"({"history":[{"threads":[{"id":"33600000001"}]}]})",
          R"({"from":{"id":"33600000001"},"text":"a comment"})",
          R"({"item":"comment","sender_id":33600000001})",
      })
    CHECK_MESSAGE(involvement(value) == Involvement::party, value);
}

TEST_CASE("persons: conversations of Instagram and Messenger") {
  const std::string body =
      R"({"object":"page","entry":[{"id":"7","messaging":[{"sender":{"id":"111222333"},"recipient":{"id":"7"}}]}]})";
  CHECK(found_in(body, {"111222333"}).involvement == Involvement::party);
  CHECK(found_in(body, {"11122233"}).involvement == Involvement::none);
}

TEST_CASE("persons: who is only spoken of") {
  for (const char* value : {
           R"({"messages":[{"from":"2","context":{"from":"33600000001"}}]})",
           R"({"messages":[{"from":"2","contacts":[{"phones":[{"wa_id":"33600000001"}]}]}]})",
           R"({"messages":[{"from":"2","text":{"body":"33600000001"}}]})",
           // HBgLMzM2MDAwMDAwMDEVAgA: the number between its length and what follows
           R"({"messages":[{"from":"2","reaction":{"message_id":"wamid.HBgLMzM2MDAwMDAwMDEVAgA="}}]})",
       })
    CHECK_MESSAGE(involvement(value) == Involvement::mentioned, value);
}

TEST_CASE("persons: the number that a body came to is no customer's") {
  const std::string echo =
      R"({"metadata":{"display_phone_number":"+1 555 000-0000"},"message_echoes":[{"from":"15550000000","to":"3"}]})";
  CHECK(found_in(whatsapp_body(echo), {"15550000000"}).is_business);
  CHECK_FALSE(found_in(whatsapp_body(echo), {"3"}).is_business);
}

TEST_CASE("persons: others are not they") {
  for (const char* value : {
           R"({"messages":[{"from":"336000000012"}]})", R"({"messages":[{"from":"3360000000"}]})",
           R"({"messages":[{"from":"133600000001"}]})",
           R"({"messages":[{"from":"2","text":{"body":"call 33600000001"}}]})",
           R"({"statuses":[{"id":"wamid.HBgMMzM2MDAwMDAwMDEyFQIA"}]})",  // 336000000012
       })
    CHECK_MESSAGE(involvement(value) == Involvement::none, value);
}

TEST_CASE("persons: a history of several is not theirs alone") {
  CHECK(involvement(R"({"history":[{"threads":[{"id":"33600000001"},{"id":"2"}]}]})") ==
        Involvement::among_others);
}

TEST_CASE("persons: what else they go by") {
  using List = std::vector<std::string>;
  CHECK(found_in(
            whatsapp_body(
                R"({"contacts":[{"wa_id":"33600000001","user_id":"FR.1"},{"wa_id":"2","user_id":"FR.2"}]})"),
            {"33600000001"})
            .further == List{"FR.1"});
  CHECK(found_in(whatsapp_body(R"({"messages":[{"from":"","from_user_id":"FR.1"}]})"), {"FR.1"}).further ==
        List{});
  CHECK(found_in(
            whatsapp_body(
                R"({"statuses":[{"recipient_id":"g","recipient_type":"group","recipient_user_id":"FR.1"}]})"),
            {"FR.1"})
            .further == List{});
  CHECK(found_in(whatsapp_body(R"({"user_id_update":[{"user_id":{"previous":"FR.1","current":"FR.3"}}]})"),
                 {"FR.1"})
            .further == List{"FR.3"});
}

TEST_CASE("persons: identifiers as people write them") {
  CHECK(comparable("+33 6 00-00.(00)01") == "33600000001");
  CHECK(comparable("FR.1 2") == "FR.1 2");
  CHECK(comparable("") == "");
}

TEST_CASE("persons: a message id that carries the number") {
  CHECK(message_id_names("wamid.HBgLMzM2MDAwMDAwMDEVAgA=", "33600000001"));
  CHECK_FALSE(message_id_names("wamid.HBgLMzM2MDAwMDAwMDEVAgA=", "3360000000"));
  CHECK_FALSE(message_id_names("wamid.HBgLMzM2MDAwMDAwMDEVAgA=", "3600000001"));
  CHECK_FALSE(message_id_names("HBgLMzM2MDAwMDAwMDEVAgA=", "33600000001"));
  CHECK_FALSE(message_id_names("wamid.!", "33600000001"));
}

// With any bytes before and after it.
TEST_CASE("persons: the base64 of a text with the number holds one of its fragments") {
  const std::vector<std::string> fragments = base64_fragments("33600000001");
  REQUIRE(fragments.size() == 3);
  // python3: base64.b64encode(n * b"\x0b" + b"33600000001" + b"\x15\x02")
  const std::string texts[] = {"MzM2MDAwMDAwMDEVAg==", "CzMzNjAwMDAwMDAxFQI=", "CwszMzYwMDAwMDAwMRUC"};
  for (const std::string& text : texts) {
    const bool holds = std::ranges::any_of(
        fragments, [&](const std::string& fragment) { return text.find(fragment) != std::string::npos; });
    CHECK_MESSAGE(holds, text);
  }
  CHECK(base64_fragments("FR.12345678").empty());
}

}  // namespace
}  // namespace socialsync::parse
