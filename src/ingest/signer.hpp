// Who signed a body? Answered without letting strangers make us hash or parse without end.
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
  unknown,  // no secret that we know signed these bytes
  busy,     // it would take more work than there is budget for: try again later
};

// One thread. All secrets are compared in constant time.
class SignerSearch {
 public:
  explicit SignerSearch(std::uint64_t budget_bytes_per_second) : budget_(budget_bytes_per_second) {}

  // Tries the environment's secrets, which sign most bodies: nothing of the body is read but its bytes.
  std::optional<route::SecretIndex> find_shared(const Tenants& tenants, const crypto::Digest& digest,
                                                std::string_view body);

  // Whether a body that find_shared() did not know may be split, to learn whose secrets could be right.
  Result<void, SignerError> may_split(const Tenants& tenants, std::string_view body);

  // Tries the secrets of the accounts that the events are for, then, within the budget, all others: a
  // tenant's secret under another tenant's event is to be quarantined, not refused.
  Result<route::SecretIndex, SignerError> find_own(const Tenants& tenants, const crypto::Digest& digest,
                                                   std::string_view body,
                                                   const std::vector<model::Event>& events);

  // HMACs that have been computed so far.
  std::uint64_t checks() const { return checks_; }

 private:
  bool is_signed_by(const Tenants& tenants, route::SecretIndex secret, const crypto::Digest& digest,
                    std::string_view body);

  HashBudget budget_;
  std::uint64_t checks_ = 0;
};

}  // namespace socialsync::ingest
