// The endpoints as of one moment: how each is signed for, and how it has been doing.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/uuid.hpp"
#include "deliver/failing.hpp"
#include "deliver/signing.hpp"
#include "model/endpoint.hpp"
#include "store/claims.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {

struct Target {
  model::Endpoint endpoint;
  Signer signer;
};

// One thread.
class Targets {
 public:
  using SystemTime = std::chrono::system_clock::time_point;

  struct Changes {
    std::vector<Uuid> added;  // or other than before
    std::vector<Uuid> removed;
  };
  // Those that cannot be signed for, since a secret is sealed or broken, are left out; with a warning, once
  // until they can be again.
  Changes replace(std::vector<store::EndpointState> endpoints);

  // Failing: the last attempt was no success, or it cannot be signed for.
  struct Health {
    std::size_t ok = 0;
    std::size_t failing = 0;
  };
  Health health() const;
  // Of what is due at endpoints that are sent to, for how long the oldest has been; zero: nothing is.
  std::chrono::milliseconds overdue(std::span<const store::Due> due) const;

  // Null when there is none.
  std::shared_ptr<const Target> find(const Uuid& endpoint_id) const;
  std::vector<Uuid> ids() const;

  // An attempt has ended. What is to be written of it, if anything is new.
  std::optional<store::EndpointNews> succeeded(const Uuid& endpoint_id);
  std::optional<store::EndpointNews> failed(const Uuid& endpoint_id, SystemTime now);

 private:
  struct Known {
    std::shared_ptr<const Target> target;
    std::optional<SystemTime> failing_since;
    FailingMark mark = FailingMark::none;
    std::uint32_t failures = 0;  // since this worker knows it, or its last success
  };

  std::unordered_map<Uuid, Known> targets_;
  std::unordered_set<Uuid> unsigned_;  // those that cannot be signed for
};

}  // namespace socialsync::deliver
