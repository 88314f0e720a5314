#include "deliver/waiting.hpp"

#include <utility>

namespace socialsync::deliver {
namespace {

constexpr std::uint32_t firsts_for_a_retry = 3;

}  // namespace

std::size_t bytes_of(const Delivery& delivery) { return delivery.event->payload.size(); }

void Waiting::push(Delivery delivery) {
  bytes_ += bytes_of(delivery);
  (delivery.attempts == 0 ? firsts_ : retries_).push_back(std::move(delivery));
}

bool Waiting::is_turn_of_retry() const {
  return !retries_.empty() && (firsts_.empty() || firsts_in_a_row_ >= firsts_for_a_retry);
}

Delivery Waiting::pop() {
  const bool is_retry = is_turn_of_retry();
  std::deque<Delivery>& queue = is_retry ? retries_ : firsts_;
  Delivery delivery = std::move(queue.front());
  queue.pop_front();
  firsts_in_a_row_ = is_retry ? 0 : firsts_in_a_row_ + 1;
  bytes_ -= bytes_of(delivery);
  return delivery;
}

std::vector<Delivery> Waiting::drain() {
  std::vector<Delivery> all;
  all.reserve(size());
  while (!firsts_.empty() || !retries_.empty()) {
    std::deque<Delivery>& queue = firsts_.empty() ? retries_ : firsts_;
    all.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  bytes_ = 0;
  return all;
}

}  // namespace socialsync::deliver
