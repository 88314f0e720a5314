// Finds the secret that signed a body, with bounded work for bodies of strangers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/digest.hpp"
#include "ingest/hash_budget.hpp"
#include "ingest/tenants.hpp"
#include "model/event.hpp"
#include "route/directory.hpp"

namespace socialsync::ingest {

enum class SignerError {
  unknown,  // no known secret signed these bytes
  busy,     // the budget is spent: the sender is told to retry
};

// One thread. All secrets are compared in constant time.
class SignerSearch {
 public:
  explicit SignerSearch(std::uint64_t budget_bytes_per_second) : budget_(budget_bytes_per_second) {}

  // Tries the environment's secrets, which sign most bodies, without parsing the body.
  std::optional<route::SecretIndex> find_shared(const Tenants& tenants, const crypto::Digest& digest,
                                                std::string_view body);

  // True if a body that find_shared() did not match may be split to find candidate secrets.
  Result<void, SignerError> may_split(const Tenants& tenants, std::string_view body);

  // Tries the secrets of the events' accounts; then, within the budget, all others, because an event that
  // is signed with another tenant's secret is quarantined, not refused.
  Result<route::SecretIndex, SignerError> find_own(const Tenants& tenants, const crypto::Digest& digest,
                                                   std::string_view body,
                                                   const std::vector<model::Event>& events);

  // The number of computed HMACs.
  std::uint64_t checks() const { return checks_; }

 private:
  bool is_signed_by(const Tenants& tenants, route::SecretIndex secret, const crypto::Digest& digest,
                    std::string_view body);

  HashBudget budget_;
  std::uint64_t checks_ = 0;
};

}  // namespace socialsync::ingest
