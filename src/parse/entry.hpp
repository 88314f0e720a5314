// One element of a webhook's entry[]: the events of one WABA, Instagram account or Page.
#pragma once

#include <string>

#include "model/event.hpp"
#include "parse/collector.hpp"
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

// Adds all events of an entry, and its unreadable parts.
void read_entry(model::Platform platform, Value entry, Collector& collector);

// Adds the events of one {"field": …, "value": …} without an entry around it, as Meta's dashboard shows them.
void read_bare_change(model::Platform platform, Value change, Collector& collector);

// Returns an event with the platform, routing key and time of its entry.
model::Event event_of(const Entry& entry);

void add_unreadable(const Entry& entry, Value part, Collector& collector);

}  // namespace socialsync::parse
