#include <algorithm>
#include <span>

#include "parse/contacts.hpp"
#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/readers.hpp"

namespace socialsync::parse {
namespace {

constexpr Paths phone_number_ids = {"metadata.phone_number_id", "phone_number_settings.phone_number_id"};
constexpr Paths business_ids = {"partner_client_certification_info.client_business_id",
                                "waba_info.owner_business_id"};
constexpr Paths display_numbers = {"display_phone_number", "phone_number"};

// Reads the routing key of a change.
model::RoutingKey key_of(const Entry& entry, const Change& change) {
  model::RoutingKey key{.entry_id = entry.id.text(),
                        .phone_number_id = first_text(change.value, phone_number_ids),
                        .display_phone_number = first_text(change.value, {"metadata.display_phone_number"})};
  if (!key.phone_number_id.empty()) return key;
  if (key.display_phone_number.empty()) key.display_phone_number = first_text(change.value, display_numbers);
  key.business_id = first_text(change.value, business_ids);
  key.waba_id = at_path(change.value, "waba_info.waba_id").text();
  key.is_app_level = !key.waba_id.empty() || change.field == "partner_solutions" ||
                     change.value.at("partner_client_certification_info").present();
  return key;
}

// Returns the table's rows for the lists of one field; the rows of a field are adjacent.
std::span<const ChangeKind> lists_of(std::string_view field) {
  const std::span<const ChangeKind> kinds = whatsapp_kinds();
  const auto is_its = [field](const ChangeKind& kind) { return kind.field == field && !kind.list.empty(); };
  const auto first = std::ranges::find_if(kinds, is_its);
  return {first, std::find_if_not(first, kinds.end(), is_its)};
}

std::optional<std::int64_t> own_time_ms(Value element) {
  const auto time_ms = unix_time_ms(element.at("timestamp"));
  return time_ms ? time_ms : unix_time_ms(at_path(element, "metadata.timestamp"));
}

bool is_empty(Value list) {
  return !list.present() || (list.is_array() && list.items().begin() == list.items().end());
}

// Reads one change whose field has lists in the table.
class Lists {
 public:
  Lists(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds, Collector& collector)
      : entry_(entry),
        change_(change),
        kinds_(kinds),
        collector_(collector),
        envelope_(entry, change),
        shared_(shared_members()),
        contacts_(change.value.at("contacts"), count_events()),
        key_(key_of(entry, change)) {}

  // False when all lists are empty.
  bool read() {
    for (const auto& [name, list] : change_.value.fields()) {
      if (collector_.is_full()) break;
      if (is_empty(list)) continue;
      if (const ChangeKind* kind = kind_of(name)) {
        read_list(*kind, list);
      } else if (name.equals("errors")) {
        add_errors(list);
      }
    }
    return found_;
  }

 private:
  // Null for a member that is not a list of events.
  const ChangeKind* kind_of(Value name) const {
    const auto kind =
        std::ranges::find_if(kinds_, [name](const ChangeKind& own) { return name.equals(own.list); });
    return kind == kinds_.end() ? nullptr : &*kind;
  }

  // Returns the members that all events of the value share, each followed by a comma.
  std::string shared_members() const {
    std::string members;
    for (const auto& [name, value] : change_.value.fields()) {
      const bool is_own = name.equals("contacts") || name.equals("errors") || kind_of(name);
      if (!is_own) members.append(name.raw()).append(":").append(value.raw()).append(",");
    }
    return members;
  }

  std::size_t count_events() const {
    std::size_t events = 0;
    for (const auto& [name, list] : change_.value.fields()) {
      if (name.equals("errors") && !is_empty(list)) ++events;
      if (!kind_of(name)) continue;
      for ([[maybe_unused]] const Value element : list.items()) ++events;
    }
    return events;
  }

  void read_list(const ChangeKind& kind, Value list) {
    found_ = true;
    if (!list.is_array()) return add_unreadable(entry_, change_.element, collector_);
    for (const Value element : list.items()) {
      if (collector_.is_full()) return;
      if (element.is_object()) {
        add_element(kind, element);
      } else {
        add_unreadable(entry_, element, collector_);
      }
    }
  }

  void add_element(const ChangeKind& kind, Value element) {
    model::Event event = begin_event();
    identify(entry_, kind, element, event);
    if (const auto time_ms = own_time_ms(element)) event.time_ms = time_ms;
    const std::string contacts = contacts_.member_for(element);
    event.payload = envelope_.around({"{", shared_, contacts, "\"", kind.list, "\":[", element.raw(), "]}"});
    collector_.add(std::move(event));
  }

  // Adds value.errors as an event of its own: errors beside the lists belong to no single element.
  void add_errors(Value errors) {
    found_ = true;
    model::Event event = begin_event();
    event.kind = "errors";
    append_part(event.discriminator, errors.raw());
    const std::string contacts = contacts_.member_for({});
    event.payload = envelope_.around({"{", shared_, contacts, R"("errors":)", errors.raw(), "}"});
    collector_.add(std::move(event));
  }

  model::Event begin_event() const {
    model::Event event = event_of(entry_);
    event.key = key_;
    event.type = event_type(change_.field);
    return event;
  }

  const Entry& entry_;
  const Change& change_;
  std::span<const ChangeKind> kinds_;
  Collector& collector_;
  Envelope envelope_;
  std::string shared_;
  Contacts contacts_;
  model::RoutingKey key_;
  bool found_ = false;
};

void add_whole(const Entry& entry, const Change& change, Collector& collector) {
  model::Event event = whole_change(entry, change, whatsapp_kinds());
  event.key = key_of(entry, change);
  collector.add(std::move(event));
}

}  // namespace

void read_whatsapp_change(const Entry& entry, const Change& change, Collector& collector) {
  const std::span<const ChangeKind> own = lists_of(change.field);
  if (own.empty()) return add_whole(entry, change, collector);
  if (!change.value.is_object()) return add_unreadable(entry, change.element, collector);
  if (!Lists(entry, change, own, collector).read()) add_whole(entry, change, collector);
}

}  // namespace socialsync::parse
