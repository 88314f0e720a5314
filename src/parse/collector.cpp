#include "parse/collector.hpp"

#include <utility>

#include "parse/json_text.hpp"

namespace socialsync::parse {

void Collector::add(model::Event event) {
  if (!fit_for_jsonb_) {
    if (auto fit = repaired(event.payload))
      event.exact_payload = std::exchange(event.payload, *std::move(fit));
  }
  const std::size_t exact_bytes = event.exact_payload ? event.exact_payload->size() : 0;
  if (!has_room_for(event.payload.size() + exact_bytes)) return;
  webhook_.events.push_back(std::move(event));
}

void Collector::add_unreadable(model::Platform platform, std::string entry_id, std::string_view bytes) {
  if (!has_room_for(entry_id.size() + bytes.size())) return;
  webhook_.unreadable.push_back({platform, std::move(entry_id), std::string(bytes)});
}

bool Collector::has_room_for(std::size_t bytes) {
  bytes_ += bytes;
  if (webhook_.events.size() + webhook_.unreadable.size() == limits_.events_max ||
      bytes_ > limits_.output_bytes_max)
    webhook_.is_cut_short = true;
  return !is_full();
}

}  // namespace socialsync::parse
