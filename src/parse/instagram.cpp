#include "parse/instagram.hpp"

#include "parse/change.hpp"
#include "parse/messaging.hpp"

namespace socialsync::parse {

void read_instagram_change(const Entry& entry, const Change& change, Collector& collector) {
  if (!read_messaging_change(entry, change, collector))
    collector.add(whole_change(entry, change, instagram_kinds()));
}

}  // namespace socialsync::parse
