// The endpoints as last loaded from the database: how to sign for each, and the health of each.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/uuid.hpp"
#include "deliver/signing.hpp"
#include "model/endpoint.hpp"
#include "store/claims.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {

// An endpoint that fails for so long, without one success, is disabled.
inline constexpr std::chrono::hours failing_max = std::chrono::days{5};

// The share of failing_max that has passed, in per cent.
enum class FailingMark {
  none = 0,
  half = 50,
  most = 70,
  nearly_all = 90,
  all = 100,  // to be disabled
};

// The highest mark passed since `marked` was reported; none when there is no new one. `failing_since`: the
// first failure after the last success.
FailingMark failing_mark(std::chrono::system_clock::time_point failing_since,
                         std::chrono::system_clock::time_point now, FailingMark marked);

struct Target {
  model::Endpoint endpoint;
  Signer signer;
};

// One thread.
class Endpoints {
 public:
  using SystemTime = std::chrono::system_clock::time_point;

  struct Unsignable {
    Uuid endpoint_id;
    std::string_view why;
  };
  struct Changes {
    std::vector<Uuid> added;  // or possibly changed
    std::vector<Uuid> removed;
    // Has another URL than before, or failed then and does not now: its operator repaired it.
    std::vector<Uuid> repaired;
    // Cannot be signed for, since a secret is malformed or cannot be decrypted; reported once. Nothing is
    // sent to it.
    std::vector<Unsignable> unsignable;
  };
  // Replaces all endpoints by those just loaded.
  Changes replace(std::vector<store::EndpointState> endpoints);

  // Failing: the last attempt failed, or the endpoint cannot be signed for.
  struct Health {
    std::size_t ok = 0;
    std::size_t failing = 0;
  };
  Health health() const;
  // For how long the oldest row has been due, among endpoints with a URL; zero: none is due.
  std::chrono::milliseconds overdue(std::span<const store::Due> due) const;

  // Null when it is unknown or cannot be signed for.
  std::shared_ptr<const Target> find(const Uuid& endpoint_id) const;
  bool is_ordered(const Uuid& endpoint_id) const;
  std::vector<Uuid> ids() const;

  // An attempt has ended. Returns the health update to be written, if the health has changed.
  std::optional<store::EndpointNews> succeeded(const Uuid& endpoint_id);
  std::optional<store::EndpointNews> failed(const Uuid& endpoint_id, SystemTime now);

 private:
  struct Known {
    std::shared_ptr<const Target> target;
    std::optional<SystemTime> failing_since;
    FailingMark mark = FailingMark::none;
    std::uint32_t failures = 0;  // since the last success, or since this worker loaded it
  };
  struct Seen {
    std::string url;
    bool is_failing = false;
  };

  std::vector<Uuid> repaired_since_last(std::span<const store::EndpointState> endpoints);

  std::unordered_map<Uuid, Known> targets_;
  std::unordered_set<Uuid> unsignable_;
  std::unordered_map<Uuid, Seen> seen_;  // at the last loading, unsignable ones included
};

}  // namespace socialsync::deliver
