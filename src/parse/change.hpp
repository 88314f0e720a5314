// changes[] as all products have it: one event per element.
#pragma once

#include "parse/entry.hpp"

namespace socialsync::parse {

// The event that a change is when nothing more is known of its field: identified by its field, its value to
// the last byte, and its entry's time.
model::Event whole_change(const Entry& entry, const Change& change);

// One word of an entry's changed_fields: what Meta sends to an app that did not ask for values.
void read_changed_field(const Entry& entry, Value field, Collector& collector);

}  // namespace socialsync::parse
