#pragma once

#include "parse/entry.hpp"

namespace socialsync::parse {

// A change of an Instagram account.
void read_instagram_change(const Entry& entry, const Change& change, Collector& collector);

}  // namespace socialsync::parse
