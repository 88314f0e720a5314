#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "parse/entry.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

// Meta's `object` of a platform's webhooks, and back.
std::string_view object_name(model::Platform platform);
std::optional<model::Platform> platform_of(Value object);

// A webhook as Meta would have sent it for one event alone: the object, the entry's id and time, and within
// those a gap for the event. All but the gap is as it came.
class Envelope {
 public:
  // …"entry":[{…,"messaging":[GAP]}]…
  Envelope(const Entry& entry, std::string_view list);
  // …"entry":[{…,"changes":[{"field":…,"value":GAP}]}]…, or the flat form.
  Envelope(const Entry& entry, const Change& change);

  // The whole, with `parts` one after another in the gap.
  std::string around(std::initializer_list<std::string_view> parts) const;

 private:
  std::string head_;
  std::string tail_;
};

}  // namespace socialsync::parse
