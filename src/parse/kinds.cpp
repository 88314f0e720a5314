#include "parse/kinds.hpp"

#include <iterator>

namespace socialsync::parse {
namespace {

// webhook_events separates statuses: read and played are message_reads, the others message_deliveries.
void read_or_delivered(Value status, model::Event& event) {
  const Value word = status.at("status");
  event.type = word.equals("read") || word.equals("played") ? "message_reads" : "message_deliveries";
  if (status.at("recipient_type").equals("group")) event.customer = status.at("recipient_id").text();
}

void called_by_us(Value call, model::Event& event) {
  if (call.at("direction").equals("BUSINESS_INITIATED"))
    event.customer = first_text(call, {"to_user_id", "to"});
}

void one_thread(Value chunk, model::Event& event) {
  const Items threads = chunk.at("threads").items();
  if (threads.begin() == threads.end()) return;
  auto second = threads.begin();
  ++second;
  if (second == threads.end()) event.customer = (*threads.begin()).at("id").text();
}

// The business is the sender of its echoes. Meta sends a deletion under the deleted message's mid.
void echo_or_deleted(Value element, model::Event& event) {
  const Value message = element.at("message");
  if (message.at("is_echo").is_true()) {
    event.kind = "echo";
    event.type = "message_echoes";
    event.customer = element.at("recipient").at("id").text();
  }
  if (message.at("is_deleted").is_true()) event.kind = "deleted";
}

constexpr std::string_view business_began = "customer of a call by the business: to_user_id, to";
constexpr std::string_view reads_apart =
    "message_reads when read or played; customer of a group: recipient_id";
constexpr std::string_view lone_thread = "customer: the thread's id, if there is one thread";
constexpr std::string_view echoes_apart =
    "an echo is message_echoes, its customer recipient.id; a deletion is an event of its own";

// clang-format off
constexpr ChangeKind whatsapp[] = {
    {"messages", "messages", "message", {"id"}, {}, {"from_user_id", "from"}},
    {"messages", "statuses", "status", {"id"}, {"status", "recipient_participant_id", "recipient_participant_user_id", "timestamp"}, {"recipient_user_id", "recipient_id"}, {read_or_delivered, reads_apart}},
    {"message_echoes", "message_echoes", "echo", {"id"}, {}, {"to_user_id", "to"}},
    {"smb_message_echoes", "message_echoes", "echo", {"id"}, {}, {"to_user_id", "to"}},
    {"calls", "calls", "call", {"id"}, {"event"}, {"from_user_id", "from"}, {called_by_us, business_began}},
    {"calls", "statuses", "call_status", {"id"}, {"status", "timestamp"}, {"recipient_user_id", "recipient_id"}},
    {"history", "history", "history", {}, {"metadata.phase", "metadata.chunk_order", "."}, {}, {one_thread, lone_thread}},
    {"history", "messages", "history_message", {"id"}, {}, {"from_user_id", "from"}},
    {"smb_app_state_sync", "state_sync", "state_sync", {}, {"type", "contact.user_id", "contact.phone_number", "action", "metadata.timestamp"}, {"contact.user_id", "contact.phone_number"}},
    {"user_preferences", "user_preferences", "preference", {}, {"user_id", "wa_id", "category", "value", "timestamp"}, {"user_id", "wa_id"}},
    {"user_id_update", "user_id_update", "user_id", {}, {"user_id.current", "user_id.previous", "timestamp"}, {"user_id.current", "wa_id"}},
    {"automatic_events", "automatic_events", "automatic_event", {"id"}, {"event_name", "timestamp"}, {}},
    {"group_lifecycle_update", "groups", "group", {"group_id"}, {"."}, {"user_id", "wa_id"}},
    {"group_participants_update", "groups", "group", {"group_id"}, {"."}, {"user_id", "wa_id"}},
    {"group_settings_update", "groups", "group", {"group_id"}, {"."}, {"user_id", "wa_id"}},
    {"group_status_update", "groups", "group", {"group_id"}, {"."}, {"user_id", "wa_id"}},
    {"message_template_status_update", "", "change", {"message_template_id"}, {"event", "@time"}, {}},
    {"message_template_quality_update", "", "change", {"message_template_id"}, {"previous_quality_score", "new_quality_score", "@time"}, {}},
    {"message_template_components_update", "", "change", {"message_template_id"}, {".", "@time"}, {}},
    {"template_category_update", "", "change", {"message_template_id"}, {"previous_category", "new_category", "correct_category", "@time"}, {}},
    {"template_correct_category_detection", "", "change", {"message_template_id"}, {".", "@time"}, {}},
    {"account_alerts", "", "change", {}, {".", "@time"}, {}},
    {"account_review_update", "", "change", {}, {".", "@time"}, {}},
    {"account_settings_update", "", "change", {}, {".", "@time"}, {}},
    {"account_update", "", "change", {}, {".", "@time"}, {}},
    {"business_capability_update", "", "change", {}, {".", "@time"}, {}},
    {"business_username_update", "", "change", {}, {".", "@time"}, {}},
    {"business_username_updates", "", "change", {}, {".", "@time"}, {}},
    {"consumer_profile", "", "change", {}, {".", "@time"}, {"user_id", "wa_id"}},
    {"flows", "", "change", {}, {".", "@time"}, {}},
    {"messaging_handovers", "", "change", {}, {".", "@time"}, {"sender.user_id", "sender.phone_number"}},
    {"partner_solutions", "", "change", {}, {".", "@time"}, {}},
    {"payment_configuration_update", "", "change", {}, {".", "@time"}, {}},
    {"phone_number_name_update", "", "change", {}, {".", "@time"}, {}},
    {"phone_number_quality_update", "", "change", {}, {".", "@time"}, {}},
    {"security", "", "change", {}, {".", "@time"}, {}},
};

constexpr ChangeKind instagram[] = {
    {"comments", "", "comment", {"id", "comment_id"}, {}, {"from.id"}},
    {"live_comments", "", "comment", {"id", "comment_id"}, {}, {"from.id"}},
    {"mentions", "", "mention", {"comment_id", "media_id"}, {"@time"}, {"from.id"}},
    {"story_insights", "", "story_insights", {"media_id"}, {"@time"}, {}},
};

// The ids in a Page's values name the changed object, not the change: only the whole value identifies a change.
constexpr ChangeKind messenger[] = {
    {"feed", "", "change", {"comment_id", "post_id"}, {".", "@time"}, {"from.id", "sender_id"}},
    {"leadgen", "", "change", {"leadgen_id"}, {}, {}},
    {"mention", "", "change", {}, {".", "@time"}, {"from.id", "sender_id"}},
    {"messenger_template_status_update", "", "change", {"message_template_id"}, {"event", "@time"}, {}},
    {"ratings", "", "change", {}, {".", "@time"}, {"reviewer_id", "from.id"}},
};

// Types are Meta's field names, except for the shared vocabulary. A reaction carries the mid of the message it
// reacts to, an edit the mid of the edited message.
constexpr MessagingKind messaging[] = {
    {"message", "message", "messages", "messages", {"message.mid"}, {}, {echo_or_deleted, echoes_apart}},
    {"message_edit", "edit", "message_edit", "message_edits", {"message_edit.mid"}, {"message_edit.num_edit"}},
    {"reaction", "reaction", "message_reactions", "message_reactions", {"reaction.mid"}, {"sender.id", "reaction.action", "timestamp"}},
    {"read", "read", "message_reads", "message_reads", {"read.mid", "read.watermark"}, {"sender.id", "timestamp"}},
    {"delivery", "delivery", "message_deliveries", "message_deliveries", {"delivery.mids.0", "delivery.watermark"}, {"sender.id", "recipient.id", "delivery.mids", "delivery.watermark"}},
    {"postback", "postback", "messaging_postbacks", "messaging_postbacks", {"postback.mid"}, {}},
    {"referral", "referral", "messaging_referral", "messaging_referrals", {}, {"."}},
    {"optin", "optin", "messaging_optins", "messaging_optins", {}, {"."}},
    {"pass_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {"."}},
    {"take_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {"."}},
    {"request_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {"."}},
    {"app_roles", "handover", "messaging_handover", "messaging_handovers", {}, {"."}},
    {"account_linking", "account_linking", "messaging_account_linking", "messaging_account_linking", {}, {"."}},
    {"game_play", "game_play", "messaging_game_plays", "messaging_game_plays", {}, {"."}},
    {"order", "cart", "send_cart", "send_cart", {}, {"."}},
    {"policy_enforcement", "policy", "messaging_policy_enforcement", "messaging_policy_enforcement", {}, {"."}},
    {"policy-enforcement", "policy", "messaging_policy_enforcement", "messaging_policy_enforcement", {}, {"."}},
    {"messaging_feedback", "feedback", "messaging_feedback", "messaging_feedback", {}, {"."}},
    {"response_feedback", "response_feedback", "response_feedback", "response_feedback", {}, {"."}},
};

// This id is for information: it need not be unique.
constexpr ChangeKind generic = {"", "", "change", {"id", "comment_id", "message_template_id", "post_id", "media_id"}, {".", "@time"}, {"from.id", "sender_id", "user_id.current"}};
// clang-format on

}  // namespace

std::span<const ChangeKind> whatsapp_kinds() { return whatsapp; }
std::span<const ChangeKind> instagram_kinds() { return instagram; }
std::span<const ChangeKind> messenger_kinds() { return messenger; }
std::span<const MessagingKind> messaging_kinds() { return messaging; }
const ChangeKind& generic_change() { return generic; }

}  // namespace socialsync::parse
