// changes[] as all products have it: one event per element.
#pragma once

#include <span>

#include "parse/entry.hpp"
#include "parse/kinds.hpp"

namespace socialsync::parse {

// The event that a change is as a whole, by the row of `kinds` for its field, or generic_change.
model::Event whole_change(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds);

// What makes an event the same when it comes again: kind, natural id, what tells apart; and its customer.
void identify(const Entry& entry, const ChangeKind& kind, Value element, model::Event& event);

// One word of an entry's changed_fields: what Meta sends to an app that did not ask for values.
void read_changed_field(const Entry& entry, Value field, Collector& collector);

}  // namespace socialsync::parse
