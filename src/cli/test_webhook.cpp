#include "cli/test_webhook.hpp"

#include <fmt/core.h>

#include "base/text.hpp"

namespace socialsync::cli {
namespace {

std::string whatsapp_message(const TestWebhook& webhook, std::uint64_t number) {
  return fmt::format(
      R"({{"from":"{}","id":"wamid.TEST{}{}","timestamp":"{}","type":"text","text":{{"body":{}}}}})",
      webhook.customer, webhook.run, number, webhook.time_ms / 1000, quoted_json(webhook.text));
}

std::string messaging_event(const TestWebhook& webhook, std::uint64_t number) {
  return fmt::format(
      R"({{"sender":{{"id":"{}"}},"recipient":{{"id":{}}},"timestamp":{},"message":{{"mid":"m_TEST{}{}","text":{}}}}})",
      webhook.customer, quoted_json(webhook.to), webhook.time_ms, webhook.run, number,
      quoted_json(webhook.text));
}

std::string joined_events(const TestWebhook& webhook) {
  const bool whatsapp = webhook.platform == model::Platform::whatsapp;
  std::string events;
  for (std::uint64_t number = webhook.first; number < webhook.first + webhook.count; ++number) {
    if (!events.empty()) events += ',';
    events += whatsapp ? whatsapp_message(webhook, number) : messaging_event(webhook, number);
  }
  return events;
}

}  // namespace

std::string test_webhook(const TestWebhook& webhook) {
  if (webhook.platform == model::Platform::whatsapp) {
    // The entry's id is the number's, not a made-up WABA that the gateway would learn.
    return fmt::format(
        R"({{"object":"whatsapp_business_account","entry":[{{"id":{0},"changes":[{{"field":"messages","value":{{)"
        R"("messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550000000","phone_number_id":{0}}},)"
        R"("contacts":[{{"profile":{{"name":"Test"}},"wa_id":"{1}"}}],"messages":[{2}]}}}}]}}]}})",
        quoted_json(webhook.to), webhook.customer, joined_events(webhook));
  }
  const bool instagram = webhook.platform == model::Platform::instagram;
  return fmt::format(R"({{"object":"{}","entry":[{{"id":{},"time":{},"messaging":[{}]}}]}})",
                     instagram ? "instagram" : "page", quoted_json(webhook.to), webhook.time_ms,
                     joined_events(webhook));
}

}  // namespace socialsync::cli
