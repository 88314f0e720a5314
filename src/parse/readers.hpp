// The readers of each kind of block that an entry may hold.
#pragma once

#include <span>

#include "parse/entry.hpp"
#include "parse/kinds.hpp"

namespace socialsync::parse {

// Adds the events of a WhatsApp change: one for each element of its lists, or one for the whole value.
void read_whatsapp_change(const Entry& entry, const Change& change, Collector& collector);

// Adds the event of one element of messaging[].
void read_messaging(const Entry& entry, Value element, Collector& collector);

// Adds the event of one element of standby[] (another app owns the thread): its kind starts with "standby:",
// its type is standby.
void read_standby(const Entry& entry, Value element, Collector& collector);

// Adds the event of a change whose value has the shape of an element of messaging[]. Its identity is the same
// as if Meta had sent it in messaging[]. False, with nothing added, for any other change.
bool read_messaging_change(const Entry& entry, const Change& change, Collector& collector);

// Returns the event of a whole change, read by the row of `kinds` for its field, or by generic_change().
model::Event whole_change(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds);

// Sets an event's identity (kind, natural id, discriminator) and its customer.
void identify(const Entry& entry, const ChangeKind& kind, Value element, model::Event& event);

// Adds the event of one word of changed_fields, which Meta sends to apps that subscribe without values.
void read_changed_field(const Entry& entry, Value field, Collector& collector);

}  // namespace socialsync::parse
