// The id of an event: the same event has the same id on every gateway and at every arrival.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/uuid.hpp"
#include "crypto/digest.hpp"
#include "model/event.hpp"

namespace socialsync::ingest {

// Makes UUIDs of version 8 (RFC 9562): 48 bits of Unix milliseconds, then 74 bits of SHA-256 over (platform,
// account, kind, natural id, discriminator), each length-prefixed. In time order, so that new rows sit at the
// right edge of the primary key, and the id is webhook_logs' partition key. Reusable; one thread.
class EventIds {
 public:
  // `time_ms` is clamped to 48 bits.
  Uuid make(const model::Event& event, const Uuid& account, std::int64_t time_ms);

  // For quarantined rows: the parts of their identity, and their time, or 0.
  Uuid make(std::initializer_list<std::string_view> parts, std::int64_t time_ms);

 private:
  void add(std::string_view part);
  Uuid finish(std::int64_t time_ms);

  crypto::Sha256 hash_;
};

// The event's own time if it fits into an id.
std::optional<std::int64_t> usable_time_ms(const model::Event& event);

}  // namespace socialsync::ingest
