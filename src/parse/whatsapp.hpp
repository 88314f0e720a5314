#pragma once

#include "parse/entry.hpp"

namespace socialsync::parse {

// A change of a WhatsApp business account: the elements of its lists one by one, or the whole.
void read_whatsapp_change(const Entry& entry, const Change& change, Collector& collector);

}  // namespace socialsync::parse
