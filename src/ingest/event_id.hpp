// The identity of an event: the same event has the same id whenever, wherever and however often it arrives.
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
  // `time_ms` is clamped to what 48 bits hold.
  Uuid make(const model::Event& event, const Uuid& account, std::int64_t time_ms);

  // For what goes to quarantine: everything that tells it apart, and its time, or 0.
  Uuid make(std::initializer_list<std::string_view> parts, std::int64_t time_ms);

 private:
  void add(std::string_view part);
  Uuid finish(std::int64_t time_ms);

  crypto::Sha256 hash_;
};

// The event's own time, when it is one that an id can hold.
std::optional<std::int64_t> usable_time_ms(const model::Event& event);

}  // namespace socialsync::ingest
