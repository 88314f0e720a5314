#include "deliver/format.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

Event event() {
  return {.id = *parse_uuid("0190f3c2-7b1a-7cde-8f00-000000000001"),
          .type = "messages",
          .platform = "whatsapp_business",
          .received_ms = 1'795'392'000'123,
          .payload = R"({"object":"page","entry":["ü"]})"};
}

TEST_CASE("format: meta is the payload, escaped") {
  CHECK(body_of(event(), model::DeliveryFormat::meta) == R"({"object":"page","entry":["\u00fc"]})");
}

TEST_CASE("format: standard wraps the same payload") {
  CHECK(body_of(event(), model::DeliveryFormat::standard) ==
        R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":{)"
        R"("id":"0190f3c2-7b1a-7cde-8f00-000000000001","platform":"whatsapp_business",)"
        R"("payload":{"object":"page","entry":["\u00fc"]}}})");
}

TEST_CASE("format: standard says when it happened, where the id does, and not when it came") {
  Event ours = event();
  ours.id = *parse_uuid("01a205b3-d07b-8abc-8f00-000000000001");
  CHECK(body_of(ours, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":)"));
  ours.received_ms += 5'000;
  CHECK(body_of(ours, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":)"));
}

TEST_CASE("format: a type is text, whatever it holds") {
  Event odd = event();
  odd.type = "a\"b\n\u00e9";
  odd.received_ms = 0;
  CHECK(body_of(odd, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"a\"b\u000a\u00e9","timestamp":"1970-01-01T00:00:00.000Z","data":)"));
}

}  // namespace
}  // namespace socialsync::deliver
