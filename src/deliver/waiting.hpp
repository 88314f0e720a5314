// What waits in memory for one endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "deliver/delivery.hpp"

namespace socialsync::deliver {

// Two queues, first attempts and retries. Where both wait, three first attempts go for one retry, so that
// neither starves.
class Waiting {
 public:
  bool empty() const { return firsts_.empty() && retries_.empty(); }
  std::size_t size() const { return firsts_.size() + retries_.size(); }
  std::size_t bytes() const { return bytes_; }

  void push(Delivery delivery);
  // The next in turn. There must be one.
  Delivery pop();
  // All of them, first attempts before retries, and none is left.
  std::vector<Delivery> drain();

 private:
  bool is_turn_of_retry() const;

  std::deque<Delivery> firsts_;
  std::deque<Delivery> retries_;
  std::uint32_t firsts_in_a_row_ = 0;  // since a retry went
  std::size_t bytes_ = 0;
};

// What a delivery takes of the memory that may wait: its payload.
std::size_t bytes_of(const Delivery& delivery);

}  // namespace socialsync::deliver
