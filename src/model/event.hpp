// Events: the parts of a webhook, one per message, status, comment, …
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::model {

// The three products whose webhooks share one URL; a body's `object` names one.
enum class Platform : std::uint8_t { whatsapp, instagram, messenger };

// "whatsapp", "instagram" or "messenger", as in URLs, metrics and logs.
constexpr std::string_view to_string(Platform platform) {
  switch (platform) {
    case Platform::whatsapp: return "whatsapp";
    case Platform::instagram: return "instagram";
    case Platform::messenger: return "messenger";
  }
  return "unknown";
}

// The ids in a body by which routing finds the event's account.
struct RoutingKey {
  std::string entry_id = {};         // entry[].id: a WABA, an Instagram account or a Page
  std::string phone_number_id = {};  // value.metadata.phone_number_id; empty when the body has none

  // WhatsApp's, unchanged: "+1 555 0100". Used only without a phone_number_id.
  std::string display_phone_number = {};
  // WhatsApp's, used only without a phone_number_id; the entry is then a partner's:
  std::string waba_id = {};      // value.waba_info.waba_id
  std::string business_id = {};  // the partner's client: the business that owns the WABA, or is certified
  // The event concerns the app's own business and its partners, and may belong to no account.
  bool is_app_level = false;
};

// One event.
struct Event {
  Platform platform = Platform::whatsapp;
  RoutingKey key;

  // The shared vocabulary of webhook_logs.webhook_type and social_accounts.webhook_events:
  // messages, message_deliveries, message_reads, comments, …, else Meta's own field name.
  std::string type;

  // The identity by which repetitions are deduplicated (event_id.hpp):
  std::string kind;                     // message, status, echo, reaction, comment, change, …
  std::string natural_id;               // wamid, mid, comment id; empty when Meta gives none
  std::string discriminator;            // separates two events of one kind and natural id
  std::optional<std::int64_t> time_ms;  // the event's own time, else its entry's; Unix milliseconds

  std::string customer;  // webhook_logs.customer_identifier; empty when none

  // A Meta-shaped body with just this event, its metadata and its contact; always valid JSON.
  std::string payload;
  // The exact bytes, set only if jsonb would refuse them (NUL, lone surrogates, huge numbers). Then `payload`
  // is the repaired text.
  std::optional<std::string> exact_payload;
};

// SocialSync's own events, which notify the operator's endpoints of failing endpoints. The database writes
// them (socialsync.tell_operator()) in Meta's shape: {"object": "socialsync",
// "entry": [{"id", "time", "changes": [{"field": the type, "value"}]}]}.
struct OwnEvent {
  std::string_view type;
  std::string_view told;  // the condition, for docs/events.md
};
inline constexpr std::array<OwnEvent, 2> own_events = {
    {{"endpoint_failing", "nothing but failures for 50 %, 70 % or 90 % of five days"},
     {"endpoint_disabled", "after five days of failures, or at once when the receiver answers 410"}}};

// A part of a webhook that could not be read as events. It is quarantined.
struct Unreadable {
  Platform platform = Platform::whatsapp;
  std::string entry_id;  // empty if unreadable too
  std::string bytes;     // the part's exact bytes
};

// The parts of a body.
struct Webhook {
  std::vector<Event> events;
  std::vector<Unreadable> unreadable;
  bool is_cut_short = false;  // a limit was exceeded: these are the first parts only
};

}  // namespace socialsync::model
