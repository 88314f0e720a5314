// The readers of each kind of block that an entry may hold.
#pragma once

#include <span>

#include "parse/entry.hpp"
#include "parse/kinds.hpp"

namespace socialsync::parse {

// A change of a WhatsApp business account: the elements of its lists one by one, or the whole.
void read_whatsapp_change(const Entry& entry, const Change& change, Collector& collector);

// Adds the event that one element of messaging[] is.
void read_messaging(const Entry& entry, Value element, Collector& collector);

// The same of standby[], where another app owns the thread: kinds start with "standby:", the type is standby.
void read_standby(const Entry& entry, Value element, Collector& collector);

// Adds the event of a change whose value has the shape of an element of messaging[], which makes it the same
// event as if it had come there. False for any other change.
bool read_messaging_change(const Entry& entry, const Change& change, Collector& collector);

// The event that a change is as a whole, by the row of `kinds` for its field, or generic_change.
model::Event whole_change(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds);

// What makes an event the same when it comes again: kind, natural id, what tells apart; and its customer.
void identify(const Entry& entry, const ChangeKind& kind, Value element, model::Event& event);

// One word of an entry's changed_fields: what Meta sends to an app that did not ask for values.
void read_changed_field(const Entry& entry, Value field, Collector& collector);

}  // namespace socialsync::parse
