#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.hpp"

namespace socialsync::cli {

struct TestWebhook {
  model::Platform platform = model::Platform::whatsapp;
  std::string_view to;  // the phone number id, Instagram account or Page that receives
  std::string_view text;
  std::string_view run;     // makes the message ids of this run its own
  std::uint64_t first = 0;  // number of its first message
  std::uint64_t count = 1;  // messages in one body
  std::int64_t time_ms = 0;
  std::string_view customer = "33765540003";
};

// A number of the range reserved for fiction in North America: never assigned to a subscriber.
inline constexpr std::string_view nobodys_number = "15555550100";

// A body as Meta shapes it, with `count` text messages.
std::string test_webhook(const TestWebhook& webhook);

}  // namespace socialsync::cli
