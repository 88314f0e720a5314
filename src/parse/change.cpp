#include <algorithm>

#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/readers.hpp"

namespace socialsync::parse {
namespace {

const ChangeKind& kind_of(std::string_view field, std::span<const ChangeKind> kinds) {
  const auto kind = std::ranges::find_if(kinds, [field](const ChangeKind& candidate) {
    return candidate.field == field && candidate.list.empty();
  });
  return kind == kinds.end() ? generic_change() : *kind;
}

}  // namespace

void identify(const Entry& entry, const ChangeKind& kind, Value element, model::Event& event) {
  event.kind = kind.kind;
  const Value id = first_with_text(element, kind.natural_id);
  event.natural_id = id.text();
  append_lost_characters(event.discriminator, id);
  append_parts(event.discriminator, element, kind.apart, entry.time);
  const bool has_all = std::ranges::find(kind.apart, ".") != kind.apart.end();
  const bool lacks_id = event.natural_id.empty() && !kind.natural_id.front().empty();
  // Meta may send a list's element again in another entry, with another time.
  const Paths all = kind.list.empty() ? Paths{".", "@time"} : Paths{"."};
  if (lacks_id && !has_all) append_parts(event.discriminator, element, all, entry.time);
  event.customer = first_text(element, kind.customer);
  if (kind.exception.apply) kind.exception.apply(element, event);
}

model::Event whole_change(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds) {
  model::Event event = event_of(entry);
  event.type = event_type(change.field);
  append_part(event.discriminator, change.field);
  identify(entry, kind_of(change.field, kinds), change.value, event);
  if (const auto time_ms = unix_time_ms(change.value.at("timestamp"))) event.time_ms = time_ms;
  event.payload = Envelope(entry, change).around({change.value.raw()});
  return event;
}

void read_changed_field(const Entry& entry, Value field, Collector& collector) {
  if (!field.is_string() || field.equals("")) return add_unreadable(entry, field, collector);
  model::Event event = event_of(entry);
  event.type = event_type(field.text());
  event.kind = "changed_field";
  append_part(event.discriminator, field.text());
  append_part(event.discriminator, entry.time.raw());
  event.payload = Envelope(entry, "changed_fields").around({field.raw()});
  collector.add(std::move(event));
}

}  // namespace socialsync::parse
