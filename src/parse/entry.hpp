// One element of a webhook's entry[]: the events of one WABA, Instagram account or Page.
#pragma once

#include <string>

#include "model/event.hpp"
#include "parse/collector.hpp"
#include "parse/identity.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

struct Entry {
  model::Platform platform = model::Platform::whatsapp;
  Value value;  // missing around a bare change
  Value id;
  Value time;
};

// One element of changes[], or the field and value that an Instagram entry may hold directly (flat).
struct Change {
  Value element;
  std::string field;
  Value value;
  bool flat = false;
};

// Returns an event with the platform, routing key and time of its entry.
inline model::Event event_of(const Entry& entry) {
  model::Event event;
  event.platform = entry.platform;
  event.key.entry_id = entry.id.text();
  event.time_ms = unix_time_ms(entry.time);
  return event;
}

// Adds `part` of an entry as unreadable.
inline void add_unreadable(const Entry& entry, Value part, Collector& collector) {
  collector.add_unreadable(entry.platform, entry.id.text(), part.raw());
}

}  // namespace socialsync::parse
