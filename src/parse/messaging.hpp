// messaging[] and standby[]: the conversations of Instagram and Messenger.
#pragma once

#include "parse/entry.hpp"

namespace socialsync::parse {

// Adds the event that one element of messaging[] is.
void read_messaging(const Entry& entry, Value element, Collector& collector);

// The same of standby[], where another app owns the thread: kinds start with "standby:", the type is standby.
void read_standby(const Entry& entry, Value element, Collector& collector);

// Adds the event of a change whose value has the shape of an element of messaging[], which makes it the same
// event as if it had come there. False for any other change.
bool read_messaging_change(const Entry& entry, const Change& change, Collector& collector);

}  // namespace socialsync::parse
