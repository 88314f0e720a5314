#include "deliver/lanes.hpp"

#include <algorithm>

namespace socialsync::deliver {
namespace {

// Returns the number of further places, of `max`, for a lane that holds `own` of the `used` ones.
std::size_t rest_for(std::size_t own, std::size_t used, std::size_t max) {
  if (used >= max) return 0;
  const std::size_t left_by_others = max - (used - own);
  const std::size_t share = std::max<std::size_t>(left_by_others / 3, 1);
  return share > own ? share - own : 0;
}

}  // namespace

const Lanes::Lane* Lanes::find(const Uuid& endpoint_id) const {
  const auto found = lanes_.find(endpoint_id);
  return found == lanes_.end() || found->second.is_removed ? nullptr : &found->second;
}

void Lanes::configure(const Uuid& endpoint_id, const LaneCaps& caps, TimePoint now) {
  const auto [place, is_new] = lanes_.try_emplace(endpoint_id);
  Lane& lane = place->second;
  unsettle(lane);
  if (is_new) lane.turn = ++turns_;
  if (lane.is_removed) lane.breaker = Breaker();
  lane.is_removed = false;
  if (lane.caps.per_second_max != caps.per_second_max) lane.rate = Rate(caps.per_second_max);
  lane.caps = caps;
  settle(lane, now);
}

std::vector<Delivery> Lanes::remove(const Uuid& endpoint_id) {
  const auto found = lanes_.find(endpoint_id);
  if (found == lanes_.end()) return {};
  Lane& lane = found->second;
  unsettle(lane);
  lane.is_removed = true;
  std::vector<Delivery> given_back = drain(lane);
  if (lane.in_flight == 0) lanes_.erase(found);
  return given_back;
}

void Lanes::repaired(const Uuid& endpoint_id, TimePoint now) {
  const auto found = lanes_.find(endpoint_id);
  if (found == lanes_.end() || found->second.is_removed) return;
  Lane& lane = found->second;
  unsettle(lane);
  lane.breaker = Breaker();
  set_slow(lane, false);
  settle(lane, now);
}

std::size_t Lanes::room(const Uuid& endpoint_id, TimePoint now) const {
  const Lane* lane = find(endpoint_id);
  if (lane == nullptr || !lane->breaker.allows(now)) return 0;
  if (!has_bytes_for(*lane, 1)) return 0;
  const std::size_t own = lane->waiting.size();
  const std::size_t own_max = lane->breaker.is_closed() ? limits_.lane_waiting_max : 1;
  return own < own_max ? std::min(own_max - own, rest_for(own, waiting_, limits_.waiting_max)) : 0;
}

bool Lanes::has_bytes_for(const Lane& lane, std::size_t bytes) const {
  if (lane.waiting.empty()) return waiting_bytes_ + bytes <= limits_.waiting_bytes_max;
  return bytes <= rest_for(lane.waiting.bytes(), waiting_bytes_, limits_.waiting_bytes_max);
}

bool Lanes::offer(const Delivery& delivery, TimePoint now) {
  if (room(delivery.endpoint_id, now) == 0) return false;
  Lane& lane = lanes_.find(delivery.endpoint_id)->second;
  const std::size_t bytes = bytes_of(delivery);
  if (!has_bytes_for(lane, bytes)) return false;
  const bool was_empty = lane.waiting.empty();
  lane.waiting.push(delivery);
  ++waiting_;
  waiting_bytes_ += bytes;
  if (was_empty) settle(lane, now);
  return true;
}

std::optional<Delivery> Lanes::next(TimePoint now) {
  wake(now);
  Lane* lane = next_lane();
  if (lane == nullptr || rest_for(lane->in_flight, in_flight_, limits_.in_flight_max) == 0)
    return std::nullopt;
  return begin(*lane, now);
}

// The first ready lane, or the first quick one while the slow lanes have used up their limit.
Lanes::Lane* Lanes::next_lane() {
  if (ready_.empty() && slow_ready_.empty()) return nullptr;
  ++looks_;
  const bool is_slow_next =
      !slow_ready_.empty() && (ready_.empty() || slow_ready_.begin()->first < ready_.begin()->first);
  if (is_slow_next) {
    Lane& slow = *slow_ready_.begin()->second;
    if (rest_for(slow.in_flight, slow_in_flight_, limits_.slow_in_flight_max) > 0) return &slow;
  }
  return ready_.empty() ? nullptr : ready_.begin()->second;
}

std::optional<Lanes::TimePoint> Lanes::next_at() const {
  if (sleeping_.empty()) return std::nullopt;
  return sleeping_.begin()->first.first;
}

std::vector<Delivery> Lanes::ended(const Uuid& endpoint_id, const AttemptEnd& end, TimePoint now,
                                   double jitter) {
  const auto found = lanes_.find(endpoint_id);
  if (found == lanes_.end() || found->second.in_flight == 0) return {};
  Lane& lane = found->second;
  unsettle(lane);
  --lane.in_flight;
  --in_flight_;
  if (lane.is_slow) --slow_in_flight_;
  if (lane.is_removed) {
    if (lane.in_flight == 0) lanes_.erase(found);
    return {};
  }
  if (!end.is_outdated) learn(lane, end, now, jitter);
  std::vector<Delivery> given_back;
  if (!lane.breaker.allows(now)) given_back = drain(lane);
  settle(lane, now);
  return given_back;
}

bool Lanes::is_open(const Uuid& endpoint_id) const {
  const Lane* lane = find(endpoint_id);
  return lane != nullptr && !lane->breaker.is_closed();
}

Delivery Lanes::begin(Lane& lane, TimePoint now) {
  unsettle(lane);
  Delivery delivery = lane.waiting.pop();
  --waiting_;
  waiting_bytes_ -= bytes_of(delivery);
  ++lane.in_flight;
  ++in_flight_;
  if (lane.is_slow) ++slow_in_flight_;
  lane.turn = ++turns_;
  lane.rate.take(now);
  lane.breaker.began();
  settle(lane, now);
  return delivery;
}

void Lanes::settle(Lane& lane, TimePoint now) {
  ++looks_;
  unsettle(lane);
  if (!lane.breaker.allows(now)) {
    if (const auto probe_at = lane.breaker.probe_at()) sleep(lane, *probe_at);
    return;
  }
  if (lane.waiting.empty() || lane.in_flight >= std::max<std::size_t>(lane.caps.concurrent_max, 1)) return;
  if (lane.rate.allowed_from() > now) return sleep(lane, lane.rate.allowed_from());
  lane.ready = ready_among(lane).emplace(std::pair(lane.in_flight, lane.turn), &lane).first;
}

void Lanes::unsettle(Lane& lane) {
  if (lane.ready) ready_among(lane).erase(*lane.ready);
  if (lane.sleeping) sleeping_.erase(*lane.sleeping);
  lane.ready.reset();
  lane.sleeping.reset();
}

// The lane is neither among the ready nor the sleeping here, and in set_slow().
void Lanes::learn(Lane& lane, const AttemptEnd& end, TimePoint now, double jitter) {
  if (end.how == Ended::not_sent) return lane.breaker.not_sent(now);
  set_slow(lane, end.took >= limits_.slow_from);
  if (end.how == Ended::delivered)
    lane.breaker.succeeded();
  else
    lane.breaker.failed(now, jitter);
}

void Lanes::set_slow(Lane& lane, bool is_slow) {
  if (lane.is_slow == is_slow) return;
  lane.is_slow = is_slow;
  slow_in_flight_ = is_slow ? slow_in_flight_ + lane.in_flight : slow_in_flight_ - lane.in_flight;
}

void Lanes::sleep(Lane& lane, TimePoint until) {
  lane.sleeping = sleeping_.emplace(std::pair(until, lane.turn), &lane).first;
}

void Lanes::wake(TimePoint now) {
  while (!sleeping_.empty() && sleeping_.begin()->first.first <= now) settle(*sleeping_.begin()->second, now);
}

std::vector<Delivery> Lanes::drain(Lane& lane) {
  waiting_ -= lane.waiting.size();
  waiting_bytes_ -= lane.waiting.bytes();
  return lane.waiting.drain();
}

bool Lanes::are_counts_right() const {
  std::size_t waiting = 0, bytes = 0, in_flight = 0, slow = 0;
  for (const auto& [id, lane] : lanes_) {
    waiting += lane.waiting.size();
    bytes += lane.waiting.bytes();
    in_flight += lane.in_flight;
    slow += lane.is_slow ? lane.in_flight : 0;
  }
  return waiting == waiting_ && bytes == waiting_bytes_ && in_flight == in_flight_ && slow == slow_in_flight_;
}

}  // namespace socialsync::deliver
