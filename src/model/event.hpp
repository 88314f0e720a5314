// What Meta sent, split to its smallest parts: one Event per message, status, comment, …
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::model {

// The three products whose webhooks share one URL; Meta's `object` tells which.
enum class Platform : std::uint8_t { whatsapp, instagram, messenger };

// "whatsapp", "instagram", "messenger": the word in our URLs, metrics and logs.
std::string_view to_string(Platform platform);

// Where an event says it belongs, in the words of the body. Routing turns this into an account.
struct RoutingKey {
  std::string entry_id = {};         // entry[].id: a WABA, an Instagram account or a Page
  std::string phone_number_id = {};  // value.metadata.phone_number_id; empty when the body has none

  // WhatsApp's, as it came: "+1 555 0100". An event goes by it only where there is no phone_number_id.
  std::string display_phone_number = {};
  // WhatsApp's, only where there is no phone_number_id; the entry is then that of a partner:
  std::string waba_id = {};      // value.waba_info.waba_id
  std::string business_id = {};  // of the partner's client: the business that owns the WABA, or is certified
  // About the app's own business and its partners: it may be no account's.
  bool is_app_level = false;
};

// One event and only that event.
struct Event {
  Platform platform = Platform::whatsapp;
  RoutingKey key;

  // The shared vocabulary of webhook_logs.webhook_type and social_accounts.webhook_events:
  // messages, message_deliveries, message_reads, comments, …, else Meta's own field name.
  std::string type;

  // What makes it the same event when it arrives again (event_id.hpp):
  std::string kind;                     // message, status, echo, reaction, comment, change, …
  std::string natural_id;               // wamid, mid, comment id; empty when Meta gives none
  std::string discriminator;            // what tells apart two events of one kind and natural id
  std::optional<std::int64_t> time_ms;  // the event's own time, else its entry's; Unix milliseconds

  std::string customer;  // webhook_logs.customer_identifier; empty when none

  // A Meta-shaped body that holds just this event, with its metadata and its contact: always valid JSON.
  std::string payload;
  // Set only where jsonb would refuse `payload` as it came (NUL, lone surrogates, absurd numbers): then
  // `payload` is the repaired text and this the exact bytes.
  std::optional<std::string> exact_payload;
};

// Events of our own, which no webhook brings: what the operator's endpoints are told of the others. They are
// written by the database, socialsync.tell_operator(), in the shape of Meta's: {"object": "socialsync",
// "entry": [{"id", "time", "changes": [{"field": the type, "value"}]}]}.
struct OwnEvent {
  std::string_view type;
  std::string_view told;  // when, for people
};
inline constexpr std::array<OwnEvent, 2> own_events = {
    {{"endpoint_failing", "nothing but failures for 50 %, 70 % or 90 % of five days"},
     {"endpoint_disabled", "after five days of failures, or at once when the receiver answers 410"}}};

// A part of a webhook that could not be read as events. It is kept, not dropped.
struct Unreadable {
  Platform platform = Platform::whatsapp;
  std::string entry_id;  // empty when that too was unreadable
  std::string bytes;     // the part, as it came
};

// A body, split.
struct Webhook {
  std::vector<Event> events;
  std::vector<Unreadable> unreadable;
  bool is_cut_short = false;  // a limit was passed: these are the first, and the body holds more
};

}  // namespace socialsync::model
