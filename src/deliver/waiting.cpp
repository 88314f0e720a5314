#include "deliver/waiting.hpp"

#include <utility>

namespace socialsync::deliver {
namespace {

constexpr std::uint32_t fresh_for_another = 3;

}  // namespace

std::size_t bytes_of(const Delivery& delivery) { return delivery.event->payload.size(); }

void Waiting::push(Delivery delivery) {
  bytes_ += bytes_of(delivery);
  (delivery.is_fresh ? fresh_ : others_).push_back(std::move(delivery));
}

bool Waiting::is_turn_of_others() const {
  return !others_.empty() && (fresh_.empty() || fresh_in_a_row_ >= fresh_for_another);
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
  while (!fresh_.empty() || !others_.empty()) {
    std::deque<Delivery>& queue = fresh_.empty() ? others_ : fresh_;
    all.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  bytes_ = 0;
  return all;
}

}  // namespace socialsync::deliver
