#include "parse/messenger.hpp"

#include "parse/change.hpp"
#include "parse/messaging.hpp"

namespace socialsync::parse {

// The ids in a Page's values name what was changed, not the change: only the whole tells two apart.
void read_messenger_change(const Entry& entry, const Change& change, Collector& collector) {
  if (!read_messaging_change(entry, change, collector)) collector.add(whole_change(entry, change));
}

}  // namespace socialsync::parse
