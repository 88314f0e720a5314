#include "parse/change.hpp"

#include "parse/envelope.hpp"
#include "parse/identity.hpp"
#include "parse/unix_time.hpp"

namespace socialsync::parse {
namespace {

// Where fields keep an id and a customer. Here the id only informs: it need not be unique.
constexpr Paths natural_ids = {"id",      "comment_id", "message_template_id",
                               "post_id", "media_id",   "leadgen_id"};
constexpr Paths customers = {"from.id", "sender_id", "user_id.current"};

}  // namespace

model::Event whole_change(const Entry& entry, const Change& change) {
  model::Event event = event_of(entry);
  event.type = event_type(change.field);
  event.kind = "change";
  event.natural_id = first_text(change.value, natural_ids);
  event.customer = first_text(change.value, customers);
  append_part(event.discriminator, change.field);
  append_part(event.discriminator, change.value.raw());
  append_part(event.discriminator, entry.time.raw());
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
