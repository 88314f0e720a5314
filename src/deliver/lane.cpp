#include "deliver/lane.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace socialsync::deliver {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::uint32_t fresh_for_one_other = 3;

}  // namespace

void Breaker::began() {
  if (is_closed()) return;
  is_probing_ = true;
  probe_at_.reset();
}

void Breaker::failed(TimePoint now, double jitter) {
  if (probe_at_) return;
  if (is_probing_) {
    pause_ = std::min<std::chrono::milliseconds>(2 * pause_, breaker_open_max);
    return open(now, jitter);
  }
  if (++failures_ >= breaker_failures_max) open(now, jitter);
}

// Another probe may begin at once.
void Breaker::not_sent(TimePoint now) {
  if (std::exchange(is_probing_, false)) probe_at_ = now;
}

void Breaker::open(TimePoint now, double jitter) {
  const double added_ms = static_cast<double>(pause_.count()) * breaker_jitter_share * jitter;
  is_probing_ = false;
  probe_at_ = now + pause_ + std::chrono::milliseconds(static_cast<std::int64_t>(added_ms));
}

Rate::Rate(std::optional<std::uint32_t> per_second_max) {
  if (!per_second_max) return;
  const std::uint32_t burst = std::max(*per_second_max, 1U);
  // Rounded up: never more than allowed.
  interval_ = std::chrono::nanoseconds((second_ns + burst - 1) / burst);
  slack_ = interval_ * (burst - 1);
}

void Rate::take(TimePoint now) {
  if (interval_.count() > 0) full_at_ = std::max(full_at_, now) + interval_;
}

std::size_t bytes_of(const Delivery& delivery) { return delivery.event->payload.size(); }

void Waiting::push(Delivery delivery) {
  bytes_ += bytes_of(delivery);
  (delivery.is_fresh ? fresh_ : others_).push_back(std::move(delivery));
}

bool Waiting::is_turn_of_others() const {
  return !others_.empty() && (fresh_.empty() || fresh_in_a_row_ >= fresh_for_one_other);
}

Delivery Waiting::pop() {
  const bool is_other = is_turn_of_others();
  std::deque<Delivery>& queue = is_other ? others_ : fresh_;
  Delivery delivery = std::move(queue.front());
  queue.pop_front();
  fresh_in_a_row_ = is_other ? 0 : fresh_in_a_row_ + 1;
  bytes_ -= bytes_of(delivery);
  return delivery;
}

std::vector<Delivery> Waiting::drain() {
  std::vector<Delivery> all;
  all.reserve(size());
  for (std::deque<Delivery>* queue : {&fresh_, &others_}) {
    std::ranges::move(*queue, std::back_inserter(all));
    queue->clear();
  }
  bytes_ = 0;
  return all;
}

}  // namespace socialsync::deliver
