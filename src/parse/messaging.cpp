#include <algorithm>

#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/kinds.hpp"
#include "parse/readers.hpp"

namespace socialsync::parse {
namespace {

// Members that describe every element, and name no event.
constexpr std::string_view surroundings[] = {"sender", "recipient", "timestamp", "hop_context"};

const MessagingKind* find_kind(Value element) {
  const auto kinds = messaging_kinds();
  const auto kind = std::ranges::find_if(
      kinds, [element](const MessagingKind& candidate) { return element.at(candidate.member).present(); });
  return kind == kinds.end() ? nullptr : &*kind;
}

// Returns the member that names an event without a row in the table; empty when the element has none.
std::string unknown_member(Value element) {
  for (const auto& [name, block] : element.fields()) {
    std::string word = name.text();
    const bool surrounds = std::ranges::find(surroundings, word) != std::end(surroundings);
    if (block.present() && !word.empty() && !surrounds) return word;
  }
  return {};
}

void describe_by(const MessagingKind& kind, Value element, model::Event& event) {
  const bool on_instagram = event.platform == model::Platform::instagram;
  event.kind = kind.kind;
  event.type = on_instagram ? kind.instagram_type : kind.messenger_type;
  const Value id = first_with_text(element, kind.natural_id);
  event.natural_id = id.text();
  append_lost_characters(event.discriminator, id);
  append_parts(event.discriminator, element, kind.apart);
  const bool lacks_id = event.natural_id.empty() && !kind.natural_id.front().empty();
  if (lacks_id) append_part(event.discriminator, element.raw());
  if (kind.exception.apply) kind.exception.apply(element, event);
}

void describe_unknown(Value element, const std::string& member, model::Event& event) {
  event.kind = "messaging";
  event.type = event_type(member.starts_with("messag") ? member : "messaging_" + member);
  append_part(event.discriminator, element.raw());
}

// False when `element` names no event.
bool describe(Value element, model::Event& event) {
  event.customer = first_text(element, {"sender.id", "optin.user_ref"});
  if (const auto time_ms = unix_time_ms(element.at("timestamp"))) event.time_ms = time_ms;
  if (const MessagingKind* kind = find_kind(element)) {
    describe_by(*kind, element, event);
    return true;
  }
  const std::string member = unknown_member(element);
  if (member.empty()) return false;
  describe_unknown(element, member, event);
  return true;
}

bool is_messaging(Value value) {
  const bool has_parties = value.at("sender").is_object() || value.at("recipient").is_object();
  const MessagingKind* kind = has_parties ? find_kind(value) : nullptr;
  return kind && value.at(kind->member).is_object();
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
