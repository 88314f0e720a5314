// How long one body takes to split, from its bytes to events ready to be stored.
#include <optional>
#include <string>

#include <benchmark/benchmark.h>

#include "parse/split.hpp"

namespace {

using socialsync::model::Platform;
using socialsync::parse::Splitter;

// A WhatsApp text message, as Meta sends it: about 1 KB with its padding of text.
std::string message_body(int messages) {
  std::string list;
  std::string contacts;
  for (int i = 0; i < messages; ++i) {
    const std::string number = std::to_string(33600000000 + i);
    contacts += (i ? "," : "") + (R"({"profile":{"name":"Camille Martin"},"wa_id":")" + number + "\"}");
    list +=
        (i ? "," : "") + (R"({"from":")" + number + R"(","id":"wamid.HBgLMzM2MDAwMDAwMDAVAgASGBQzQTdC)" +
                          number + R"(QUJDAA==","timestamp":"1760000001","type":"text","text":{"body":")" +
                          std::string(500, 'x') + R"( \ud83d\ude00"}})");
  }
  return R"({"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[{"value":{)"
         R"("messaging_product":"whatsapp","metadata":{"display_phone_number":"33100000001",)"
         R"("phone_number_id":"100000000000001"},"contacts":[)" +
         contacts + R"(],"messages":[)" + list + R"(]},"field":"messages"}]}]})";
}

std::string status_body() {
  return R"({"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[{"value":{)"
         R"("messaging_product":"whatsapp","metadata":{"display_phone_number":"33100000001",)"
         R"("phone_number_id":"100000000000001"},"statuses":[{"id":"wamid.HBgLMzM2MDAwMDAwMDAVAgASGBQzQTdCQUJDAA==",)"
         R"("status":"delivered","timestamp":"1760000001","recipient_id":"33600000001","pricing":{"billable":true,)"
         R"("pricing_model":"PMP","type":"regular","category":"utility"}}]},"field":"messages"}]}]})";
}

std::string instagram_body() {
  return R"({"object":"instagram","entry":[{"id":"17841400000000001","time":1760000000123,"messaging":[{)"
         R"("sender":{"id":"900000000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1760000000100,)"
         R"("message":{"mid":"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAw","text":"Hello"}}]}]})";
}

void split(benchmark::State& state, std::string body, std::size_t events) {
  Splitter splitter;
  for (auto _ : state) {
    const auto webhook = splitter.split(body, std::nullopt);
    if (!webhook.has_value() || webhook->events.size() != events) state.SkipWithError("wrong answer");
    benchmark::DoNotOptimize(webhook);
  }
  const auto bodies = static_cast<std::size_t>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bodies * body.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(bodies * events));
}

}  // namespace

BENCHMARK_CAPTURE(split, whatsapp_message, message_body(1), 1);
BENCHMARK_CAPTURE(split, whatsapp_1000_messages, message_body(1000), 1000);
BENCHMARK_CAPTURE(split, whatsapp_status, status_body(), 1);
BENCHMARK_CAPTURE(split, instagram_message, instagram_body(), 1);
BENCHMARK_MAIN();
