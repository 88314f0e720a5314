#include "parse/whatsapp.hpp"

#include <algorithm>
#include <span>

#include "parse/change.hpp"
#include "parse/contacts.hpp"
#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/unix_time.hpp"

namespace socialsync::parse {
namespace {

// Whom an element is about. Since 2026 a person has a business-scoped user id, and a phone number only
// sometimes: the id comes first.
std::string author(Value element) { return first_text(element, {"from_user_id", "from"}); }
std::string addressee(Value element) { return first_text(element, {"to_user_id", "to"}); }
std::string person(Value element) { return first_text(element, {"user_id", "wa_id"}); }
std::string contact(Value element) {
  return first_text(element, {"contact.user_id", "contact.phone_number"});
}
std::string nobody(Value) { return {}; }

std::string recipient(Value status) {
  const bool is_group = status.at("recipient_type").equals("group");
  return first_text(status, is_group ? Paths{"recipient_id"} : Paths{"recipient_user_id", "recipient_id"});
}

std::string caller(Value call) {
  return call.at("direction").equals("BUSINESS_INITIATED") ? addressee(call) : author(call);
}

// The elements of one list in the values of one field: each is an event.
struct Rule {
  std::string_view field;
  std::string_view list;
  std::string_view kind;
  Paths natural_id;  // an element that should have one, and has none, is told apart by its bytes
  Paths discriminator;
  std::string (*customer)(Value);
};

// history has lists too, but of messages that may have come live before: it stays whole.
// clang-format off
constexpr Rule all_rules[] = {
    {"messages", "messages", "message", {"id"}, {}, author},
    {"messages", "statuses", "status", {"id"}, {"status", "recipient_participant_id", "recipient_participant_user_id", "timestamp"}, recipient},
    {"message_echoes", "message_echoes", "echo", {"id"}, {}, addressee},
    {"smb_message_echoes", "message_echoes", "echo", {"id"}, {}, addressee},
    {"calls", "calls", "call", {"id"}, {"event"}, caller},
    {"calls", "statuses", "call_status", {"id"}, {"status", "timestamp"}, recipient},
    {"user_preferences", "user_preferences", "preference", {}, {"user_id", "wa_id", "category", "value", "timestamp"}, person},
    {"smb_app_state_sync", "state_sync", "state_sync", {}, {"type", "contact.phone_number", "action", "metadata.timestamp"}, contact},
    {"automatic_events", "automatic_events", "automatic_event", {"id"}, {"event_name", "timestamp"}, nobody},
    {"group_lifecycle_update", "groups", "group", {"group_id"}, {"."}, person},
    {"group_participants_update", "groups", "group", {"group_id"}, {"."}, person},
    {"group_settings_update", "groups", "group", {"group_id"}, {"."}, person},
    {"group_status_update", "groups", "group", {"group_id"}, {"."}, person},
};
// clang-format on

constexpr Paths phone_number_ids = {"metadata.phone_number_id", "phone_number_settings.phone_number_id"};

// The rules of one field stand together.
std::span<const Rule> rules_of(std::string_view field) {
  const auto* first = std::ranges::find(all_rules, field, &Rule::field);
  const auto* last =
      std::find_if(first, std::end(all_rules), [field](const Rule& rule) { return rule.field != field; });
  return {first, last};
}

// webhook_events knows statuses by what happened to the message.
std::string_view status_type(Value status) {
  const Value word = status.at("status");
  return word.equals("read") || word.equals("played") ? "message_reads" : "message_deliveries";
}

std::optional<std::int64_t> own_time_ms(Value element) {
  const auto time_ms = unix_time_ms(element.at("timestamp"));
  return time_ms ? time_ms : unix_time_ms(at_path(element, "metadata.timestamp"));
}

bool is_empty(Value list) {
  return !list.present() || (list.is_array() && list.items().begin() == list.items().end());
}

// Reads one change whose field has rules.
class Lists {
 public:
  Lists(const Entry& entry, const Change& change, std::span<const Rule> rules, Collector& collector)
      : entry_(entry),
        change_(change),
        rules_(rules),
        collector_(collector),
        envelope_(entry, change),
        shared_(shared_members()),
        contacts_(change.value.at("contacts"), count_events()),
        phone_number_id_(first_text(change.value, phone_number_ids)) {}

  // False when the lists hold nothing at all.
  bool read() {
    for (const auto& [name, list] : change_.value.fields()) {
      if (collector_.is_full()) break;
      if (is_empty(list)) continue;
      if (const Rule* rule = rule_of(name)) {
        read_list(*rule, list);
      } else if (name.equals("errors")) {
        add_errors(list);
      }
    }
    return found_;
  }

 private:
  // Nothing for a member that is no list of events.
  const Rule* rule_of(Value name) const {
    const auto rule = std::ranges::find_if(rules_, [name](const Rule& own) { return name.equals(own.list); });
    return rule == rules_.end() ? nullptr : &*rule;
  }

  // What all events of the value have around them, each member with a comma behind it.
  std::string shared_members() const {
    std::string members;
    for (const auto& [name, value] : change_.value.fields()) {
      const bool is_own = name.equals("contacts") || name.equals("errors") || rule_of(name);
      if (!is_own) members.append(name.raw()).append(":").append(value.raw()).append(",");
    }
    return members;
  }

  std::size_t count_events() const {
    std::size_t events = 0;
    for (const auto& [name, list] : change_.value.fields()) {
      if (name.equals("errors") && !is_empty(list)) ++events;
      if (!rule_of(name)) continue;
      for ([[maybe_unused]] const Value element : list.items()) ++events;
    }
    return events;
  }

  void read_list(const Rule& rule, Value list) {
    found_ = true;
    if (!list.is_array()) return add_unreadable(entry_, change_.element, collector_);
    for (const Value element : list.items()) {
      if (collector_.is_full()) return;
      if (element.is_object()) {
        add_element(rule, element);
      } else {
        add_unreadable(entry_, element, collector_);
      }
    }
  }

  void add_element(const Rule& rule, Value element) {
    model::Event event = begin_event(rule.kind);
    if (rule.kind == "status") event.type = status_type(element);
    event.natural_id = first_text(element, rule.natural_id);
    append_parts(event.discriminator, element, rule.discriminator);
    const bool lacks_id = event.natural_id.empty() && !rule.natural_id.front().empty();
    if (lacks_id) append_part(event.discriminator, element.raw());
    event.customer = rule.customer(element);
    if (const auto time_ms = own_time_ms(element)) event.time_ms = time_ms;
    const std::string contacts = contacts_.member_for(element);
    event.payload = envelope_.around({"{", shared_, contacts, "\"", rule.list, "\":[", element.raw(), "]}"});
    collector_.add(std::move(event));
  }

  // Errors beside the lists, or in their place, are about no one element: an event of their own.
  void add_errors(Value errors) {
    found_ = true;
    model::Event event = begin_event("errors");
    append_part(event.discriminator, errors.raw());
    const std::string contacts = contacts_.member_for({});
    event.payload = envelope_.around({"{", shared_, contacts, R"("errors":)", errors.raw(), "}"});
    collector_.add(std::move(event));
  }

  model::Event begin_event(std::string_view kind) const {
    model::Event event = event_of(entry_);
    event.key.phone_number_id = phone_number_id_;
    event.type = event_type(change_.field);
    event.kind = kind;
    return event;
  }

  const Entry& entry_;
  const Change& change_;
  std::span<const Rule> rules_;
  Collector& collector_;
  Envelope envelope_;
  std::string shared_;
  Contacts contacts_;
  std::string phone_number_id_;
  bool found_ = false;
};

void add_whole(const Entry& entry, const Change& change, Collector& collector) {
  model::Event event = whole_change(entry, change);
  event.key.phone_number_id = first_text(change.value, phone_number_ids);
  collector.add(std::move(event));
}

}  // namespace

void read_whatsapp_change(const Entry& entry, const Change& change, Collector& collector) {
  const std::span<const Rule> own = rules_of(change.field);
  if (own.empty()) return add_whole(entry, change, collector);
  if (!change.value.is_object()) return add_unreadable(entry, change.element, collector);
  if (!Lists(entry, change, own, collector).read()) add_whole(entry, change, collector);
}

}  // namespace socialsync::parse
