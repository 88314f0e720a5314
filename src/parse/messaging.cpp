#include "parse/messaging.hpp"

#include <algorithm>

#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/unix_time.hpp"

namespace socialsync::parse {
namespace {

// What one member of an element makes it.
struct Rule {
  std::string_view member;
  std::string_view kind;
  std::string_view instagram_type;
  std::string_view messenger_type;
  Paths natural_id;
  Paths discriminator;
};

// The first that fits counts. Types are Meta's field names but for the shared vocabulary. A reaction's id is
// that of the message reacted to, and an edit's that of the message edited. What has no id is told apart by
// its bytes.
// clang-format off
constexpr Rule rules[] = {
    {"message", "message", "messages", "messages", {"message.mid"}, {}},
    {"message_edit", "edit", "message_edit", "message_edits", {"message_edit.mid"}, {"message_edit.num_edit"}},
    {"reaction", "reaction", "message_reactions", "message_reactions", {"reaction.mid"}, {"sender.id", "reaction.action", "timestamp"}},
    {"read", "read", "message_reads", "message_reads", {"read.mid", "read.watermark"}, {"sender.id", "timestamp"}},
    {"delivery", "delivery", "message_deliveries", "message_deliveries", {"delivery.watermark"}, {"sender.id", "recipient.id", "delivery.mids"}},
    {"postback", "postback", "messaging_postbacks", "messaging_postbacks", {"postback.mid"}, {}},
    {"referral", "referral", "messaging_referral", "messaging_referrals", {}, {}},
    {"optin", "optin", "messaging_optins", "messaging_optins", {}, {}},
    {"pass_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {}},
    {"take_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {}},
    {"request_thread_control", "handover", "messaging_handover", "messaging_handovers", {}, {}},
    {"app_roles", "handover", "messaging_handover", "messaging_handovers", {}, {}},
    {"account_linking", "account_linking", "messaging_account_linking", "messaging_account_linking", {}, {}},
    {"game_play", "game_play", "messaging_game_plays", "messaging_game_plays", {}, {}},
    {"policy_enforcement", "policy", "messaging_policy_enforcement", "messaging_policy_enforcement", {}, {}},
    {"policy-enforcement", "policy", "messaging_policy_enforcement", "messaging_policy_enforcement", {}, {}},
    {"messaging_feedback", "feedback", "messaging_feedback", "messaging_feedback", {}, {}},
    {"response_feedback", "response_feedback", "response_feedback", "response_feedback", {}, {}},
};
// clang-format on

// Members that surround what happened.
constexpr std::string_view surroundings[] = {"sender", "recipient", "timestamp", "hop_context"};

const Rule* find_rule(Value element) {
  const auto* rule = std::ranges::find_if(
      rules, [element](const Rule& candidate) { return element.at(candidate.member).present(); });
  return rule == std::end(rules) ? nullptr : rule;
}

// The member that names an event we have no rule for; empty when there is none.
std::string unknown_member(Value element) {
  for (const auto& [name, block] : element.fields()) {
    std::string word = name.text();
    const bool surrounds = std::ranges::find(surroundings, word) != std::end(surroundings);
    if (block.present() && !word.empty() && !surrounds) return word;
  }
  return {};
}

std::string_view message_kind(Value message) {
  if (message.at("is_deleted").is_true()) return "deleted";
  return message.at("is_echo").is_true() ? "echo" : "message";
}

void describe_by(const Rule& rule, Value element, model::Event& event) {
  const bool on_instagram = event.platform == model::Platform::instagram;
  event.kind = rule.kind;
  event.type = on_instagram ? rule.instagram_type : rule.messenger_type;
  if (rule.kind == "message") event.kind = message_kind(element.at("message"));
  if (event.kind == "echo") event.type = "message_echoes";
  event.natural_id = first_text(element, rule.natural_id);
  append_parts(event.discriminator, element, rule.discriminator);
  if (event.natural_id.empty()) append_part(event.discriminator, element.raw());
}

void describe_unknown(Value element, const std::string& member, model::Event& event) {
  event.kind = "messaging";
  event.type = event_type(member.starts_with("messag") ? member : "messaging_" + member);
  append_part(event.discriminator, element.raw());
}

// False when nothing happened in `element`.
bool describe(Value element, model::Event& event) {
  if (const Rule* rule = find_rule(element)) {
    describe_by(*rule, element, event);
  } else {
    const std::string member = unknown_member(element);
    if (member.empty()) return false;
    describe_unknown(element, member, event);
  }
  // The business is the sender of its echoes.
  const bool is_echo = element.at("message").at("is_echo").is_true();
  event.customer =
      first_text(element, is_echo ? Paths{"recipient.id"} : Paths{"sender.id", "optin.user_ref"});
  if (const auto time_ms = unix_time_ms(element.at("timestamp"))) event.time_ms = time_ms;
  return true;
}

bool is_messaging(Value value) {
  const bool has_parties = value.at("sender").is_object() || value.at("recipient").is_object();
  const Rule* rule = has_parties ? find_rule(value) : nullptr;
  return rule && value.at(rule->member).is_object();
}

}  // namespace

void read_messaging(const Entry& entry, Value element, Collector& collector) {
  model::Event event = event_of(entry);
  if (!describe(element, event)) return add_unreadable(entry, element, collector);
  event.payload = Envelope(entry, "messaging").around({element.raw()});
  collector.add(std::move(event));
}

void read_standby(const Entry& entry, Value element, Collector& collector) {
  model::Event event = event_of(entry);
  if (!describe(element, event)) return add_unreadable(entry, element, collector);
  event.kind.insert(0, "standby:");
  event.type = "standby";
  event.payload = Envelope(entry, "standby").around({element.raw()});
  collector.add(std::move(event));
}

bool read_messaging_change(const Entry& entry, const Change& change, Collector& collector) {
  model::Event event = event_of(entry);
  if (!is_messaging(change.value) || !describe(change.value, event)) return false;
  event.payload = Envelope(entry, change).around({change.value.raw()});
  collector.add(std::move(event));
  return true;
}

}  // namespace socialsync::parse
