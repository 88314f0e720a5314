// Decides which fresh deliveries ingest hands to the worker in memory. Ingest asks on its thread, the worker
// sets the answers on its own.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "base/uuid.hpp"

namespace socialsync::deliver {

struct AdmissionLimits {
  std::size_t waiting_max = 10'000;  // all endpoints together
  std::size_t endpoint_waiting_max = 256;
};

// Thread-safe.
class Admission {
 public:
  explicit Admission(AdmissionLimits limits = {}) : limits_(limits) {}

  // Returns whether one more delivery may wait in memory for this endpoint. If so, it is counted until
  // leave().
  bool admit(const Uuid& endpoint_id);
  // An admitted delivery no longer waits: it began, or never will.
  void leave(const Uuid& endpoint_id);

  // Adds the endpoint, or changes whether it takes deliveries.
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
