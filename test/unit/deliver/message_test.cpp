#include "deliver/message.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

std::string escaped(std::string_view json) {
  std::string out;
  append_escaped(out, json);
  return out;
}

struct EscapeRow {
  std::string_view json;
  std::string_view escaped;
};

constexpr EscapeRow escape_rows[] = {
    {"", ""},
    {R"({"a":[1,true,null,"b\n\"\\\/é"]})", R"({"a":[1,true,null,"b\n\"\\\/\u00e9"]})"},
    {R"("already \u00E9 \ud83d\ude00")", R"("already \u00E9 \ud83d\ude00")"},
    {"äöå", R"(\u00e4\u00f6\u00e5)"},
    {"\u0080\u07ff", R"(\u0080\u07ff)"},
    {"\u0800\u20ac\uffff", R"(\u0800\u20ac\uffff)"},
    {"\u2028\u2029", R"(\u2028\u2029)"},
    {"\U0001f600", R"(\ud83d\ude00)"},
    {"\U00010000\U0010ffff", R"(\ud800\udc00\udbff\udfff)"},
    {"\U0001f468\u200d\U0001f469", R"(\ud83d\udc68\u200d\ud83d\udc69)"},
    {"~\x7f!", R"(~\u007f!)"},
    {"\ufeff{}", R"(\ufeff{})"},
};

TEST_CASE("escaping: characters beyond ~, in lower-case hex") {
  for (const EscapeRow& row : escape_rows) {
    CAPTURE(row.json);
    CHECK(escaped(row.json) == row.escaped);
  }
}

TEST_CASE("escaping: wherever the character stands between eight-byte steps") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string left(before, 'l'), right(after, 'r');
      REQUIRE(escaped(left + "é" + right) == left + R"(\u00e9)" + right);
      REQUIRE(escaped(left + "\x7f" + right) == left + R"(\u007f)" + right);
    }
  }
}

TEST_CASE("escaping: each character of the BMP is four digits of its own number") {
  for (std::uint32_t c = 0x800; c < 0x10000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    const char text[] = {static_cast<char>(0xe0U | c >> 12U), static_cast<char>(0x80U | (c >> 6U & 0x3fU)),
                         static_cast<char>(0x80U | (c & 0x3fU))};
    const std::string out = escaped({text, sizeof text});
    REQUIRE(out.size() == 6);
    REQUIRE(std::stoul(out.substr(2), nullptr, 16) == c);
  }
}

TEST_CASE("escaping: invalid UTF-8 stays unchanged, the rest is escaped") {
  for (const std::string_view bytes :
       {"\x80", "\xff", "\xc0\xaf", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3(", "\xe2\x28\xa1"}) {
    const std::string around = "é" + std::string(bytes) + "é";
    CHECK(escaped(bytes) == bytes);
    CHECK(escaped(around) == R"(\u00e9)" + std::string(bytes) + R"(\u00e9)");
  }
}

Event sample_event() {
  return {.id = *parse_uuid("0190f3c2-7b1a-7cde-8f00-000000000001"),
          .type = "messages",
          .platform = "whatsapp_business",
          .received_ms = 1'795'392'000'123,
          .payload = R"({"object":"page","entry":["ü"]})"};
}

TEST_CASE("message: meta is the payload, escaped") {
  CHECK(body_of(sample_event(), model::DeliveryFormat::meta) == R"({"object":"page","entry":["\u00fc"]})");
}

TEST_CASE("message: standard wraps the same payload") {
  CHECK(body_of(sample_event(), model::DeliveryFormat::standard) ==
        R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":{)"
        R"("id":"0190f3c2-7b1a-7cde-8f00-000000000001","platform":"whatsapp_business",)"
        R"("payload":{"object":"page","entry":["\u00fc"]}}})");
}

TEST_CASE("message: standard has the time in the event id, if any, not the time of receipt") {
  Event ours = sample_event();
  ours.id = *parse_uuid("01a205b3-d07b-8abc-8f00-000000000001");
  CHECK(body_of(ours, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":)"));
  ours.received_ms += 5'000;
  CHECK(body_of(ours, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"messages","timestamp":"2026-11-23T00:00:00.123Z","data":)"));
}

TEST_CASE("message: any type is escaped") {
  Event odd = sample_event();
  odd.type = "a\"b\n\u00e9";
  odd.received_ms = 0;
  CHECK(body_of(odd, model::DeliveryFormat::standard)
            .starts_with(R"({"type":"a\"b\u000a\u00e9","timestamp":"1970-01-01T00:00:00.000Z","data":)"));
}

TEST_CASE("message: the body in the endpoint's format, signed, with its own headers last") {
  Event sent;
  sent.type = "messages";
  sent.payload = R"({"object":"page"})";
  model::Endpoint endpoint;
  endpoint.url = "https://bot.example/";
  endpoint.app_secret = "key";
  endpoint.headers = {{"X-Key", "k"}};
  const auto signer = Signer::of(endpoint);
  REQUIRE(signer.has_value());
  const Request request = request_of(sent, endpoint, *signer, 1'760'000'000);
  CHECK(request.url == endpoint.url);
  CHECK(!request.is_get);
  CHECK(request.body == sent.payload);
  CHECK(request.headers.back() == std::pair<std::string, std::string>("X-Key", "k"));
  const auto has = [&request](std::string_view name) {
    return std::ranges::any_of(request.headers, [&](const auto& header) { return header.first == name; });
  };
  CHECK(has("webhook-id"));
  CHECK(has("X-Hub-Signature-256"));
  CHECK(has("content-type"));
}

}  // namespace
}  // namespace socialsync::deliver
