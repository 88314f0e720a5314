#pragma once

#include "parse/entry.hpp"

namespace socialsync::parse {

// A change of a Page: feed, mention, ratings, leadgen, …
void read_messenger_change(const Entry& entry, const Change& change, Collector& collector);

}  // namespace socialsync::parse
