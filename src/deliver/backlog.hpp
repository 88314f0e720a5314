// What waits in the outbox, as far as this worker knows: for which endpoints, and from when on.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "store/deliveries.hpp"

namespace socialsync::deliver {

// One thread.
class Backlog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // All of the outbox has been looked at.
  void replace(std::span<const store::Due> due, TimePoint now);
  // Something of it is due then, or earlier.
  void note(const Uuid& endpoint_id, TimePoint due_at);
  // What a claim has shown of the endpoints that it asked for.
  void note_claim(std::span<const store::Room> asked, const store::Claim& claim, TimePoint now);

  // Which rows to claim: of each endpoint that has some due, as many as `room` says, in turn from call to
  // call.
  std::vector<store::Room> wanted(TimePoint now, const std::function<std::size_t(const Uuid&)>& room,
                                  std::size_t rows_max);
  bool is_due(const Uuid& endpoint_id, TimePoint now) const;
  // When the next one is due that is not yet.
  std::optional<TimePoint> next_at(TimePoint now) const;

 private:
  std::map<Uuid, TimePoint> due_;
  Uuid last_asked_;
};

}  // namespace socialsync::deliver
