// What waits in memory for one endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "deliver/delivery.hpp"

namespace socialsync::deliver {

// Two queues, what is fresh and the others: retries, replays, a backlog. Where both wait, three that are
// fresh go for one other, so that neither starves.
class Waiting {
 public:
  bool empty() const { return fresh_.empty() && others_.empty(); }
  std::size_t size() const { return fresh_.size() + others_.size(); }
  std::size_t bytes() const { return bytes_; }

  void push(Delivery delivery);
  // The next in turn. There must be one.
  Delivery pop();
  // All of them, the fresh before the others, and none is left.
  std::vector<Delivery> drain();

 private:
  bool is_turn_of_others() const;

  std::deque<Delivery> fresh_;
  std::deque<Delivery> others_;
  std::uint32_t fresh_in_a_row_ = 0;  // since another went
  std::size_t bytes_ = 0;
};

// What a delivery takes of the memory that may wait: its payload.
std::size_t bytes_of(const Delivery& delivery);

}  // namespace socialsync::deliver
