#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "parse/entry.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

// Maps a platform to the `object` of its webhooks, and back.
std::string_view object_name(model::Platform platform);
std::optional<model::Platform> platform_of(Value object);

// The webhook that Meta would have sent for one event alone: the object, the entry's id and time as
// received, and a gap for the event.
class Envelope {
 public:
  // …"entry":[{…,"messaging":[GAP]}]…
  Envelope(const Entry& entry, std::string_view list);
  // …"entry":[{…,"changes":[{"field":…,"value":GAP}]}]…, or the flat form.
  Envelope(const Entry& entry, const Change& change);

  // Returns the webhook with `parts`, concatenated, in the gap.
  std::string around(std::initializer_list<std::string_view> parts) const;

 private:
  std::string head_;
  std::string tail_;
};

}  // namespace socialsync::parse
