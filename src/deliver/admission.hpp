// Which endpoints take deliveries straight from ingest: asked on its thread, told on the worker's.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "base/uuid.hpp"

namespace socialsync::deliver {

struct AdmissionLimits {
  std::size_t waiting_max = 10'000;  // of all endpoints
  std::size_t endpoint_waiting_max = 256;
};

// Safe to use from several threads.
class Admission {
 public:
  explicit Admission(AdmissionLimits limits = {}) : limits_(limits) {}

  // Whether one more may wait in memory for this endpoint; then it is counted until it leaves.
  bool admit(const Uuid& endpoint_id);
  // It no longer waits: it has begun, or will not be.
  void leave(const Uuid& endpoint_id);

  // An endpoint is there, and takes deliveries or does not.
  void set(const Uuid& endpoint_id, bool is_open);
  void remove(const Uuid& endpoint_id);

 private:
  struct Door {
    bool is_open = false;
    std::size_t waiting = 0;
  };

  AdmissionLimits limits_;
  std::mutex mutex_;
  std::unordered_map<Uuid, Door> doors_;
  std::size_t waiting_ = 0;
};

}  // namespace socialsync::deliver
