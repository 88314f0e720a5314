// What waits in the outbox, as far as this worker knows: for which endpoints, and from when on.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "store/claims.hpp"

namespace socialsync::deliver {

// One thread.
class Backlog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // All of the outbox is about to be looked at; what is found is noted then, beside what comes meanwhile.
  void clear() { due_.clear(); }
  // Something of it is due then, or earlier.
  void note(const Uuid& endpoint_id, TimePoint due_at);
  void note(std::span<const store::Due> due, TimePoint now);
  // What is known to be due is not to be asked for before then.
  void put_off(const Uuid& endpoint_id, TimePoint until);

  // Which rows to claim: of each endpoint that has some due, as many as `room` says, in turn from call to
  // call. What was known of these endpoints is forgotten: note_claim() says what is left, beside what comes
  // meanwhile.
  std::vector<store::Room> take_wanted(TimePoint now, const std::function<std::size_t(const Uuid&)>& room,
                                       std::size_t rows_max);
  void note_claim(std::span<const store::Room> asked, const store::Claim& claim, TimePoint now);

  bool is_due(const Uuid& endpoint_id, TimePoint now) const;
  // When the next one is due that is not yet.
  std::optional<TimePoint> next_at(TimePoint now) const;

 private:
  std::map<Uuid, TimePoint> due_;
  Uuid last_asked_;
};

}  // namespace socialsync::deliver
