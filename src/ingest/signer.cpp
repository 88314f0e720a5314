#include "ingest/signer.hpp"

#include <algorithm>
#include <chrono>

namespace socialsync::ingest {
namespace {

// Splitting a hostile body costs this many times its hashing.
constexpr std::uint64_t split_cost_factor = 8;
// The setup cost of one HMAC, in bytes of hashing.
constexpr std::uint64_t secret_cost_bytes = 1024;
// Smaller bodies are split without using the budget.
constexpr std::size_t free_split_bytes_max = 64 * 1024;
// A POST belongs to one app, so an ordinary body has fewer candidates.
constexpr std::size_t free_candidates_max = 4;

}  // namespace

bool SignerSearch::is_signed_by(const Tenants& tenants, route::SecretIndex secret,
                                const crypto::Digest& digest, std::string_view body) {
  ++checks_;
  return tenants.keyring.signed_by(secret, digest, body);
}

std::optional<route::SecretIndex> SignerSearch::find_shared(const Tenants& tenants,
                                                            const crypto::Digest& digest,
                                                            std::string_view body) {
  for (route::SecretIndex secret = 0; secret < tenants.directory.shared_secret_count(); ++secret) {
    if (is_signed_by(tenants, secret, digest, body)) return secret;
  }
  return std::nullopt;
}

Result<void, SignerError> SignerSearch::may_split(const Tenants& tenants, std::string_view body) {
  const bool any_own = tenants.directory.secrets().size() > tenants.directory.shared_secret_count();
  if (!any_own) return SignerError::unknown;
  if (body.size() <= free_split_bytes_max) return {};
  if (!budget_.take(split_cost_factor * body.size(), std::chrono::steady_clock::now()))
    return SignerError::busy;
  return {};
}

Result<route::SecretIndex, SignerError> SignerSearch::find_own(const Tenants& tenants,
                                                               const crypto::Digest& digest,
                                                               std::string_view body,
                                                               const std::vector<model::Event>& events) {
  const std::size_t shared = tenants.directory.shared_secret_count();
  std::vector<route::SecretIndex> order;
  for (const model::Event& event : events) tenants.directory.add_candidates(event, order);
  std::erase_if(order, [&](route::SecretIndex secret) { return secret < shared; });
  const std::size_t free = std::min(order.size(), free_candidates_max);
  for (std::size_t i = 0; i < free; ++i) {
    if (is_signed_by(tenants, order[i], digest, body)) return order[i];
  }

  const std::uint64_t others = tenants.directory.secrets().size() - shared - free;
  if (others == 0) return SignerError::unknown;
  if (!budget_.take(others * (body.size() + secret_cost_bytes), std::chrono::steady_clock::now()))
    return SignerError::busy;
  const auto tried = order.begin() + static_cast<std::ptrdiff_t>(free);
  for (auto secret = static_cast<route::SecretIndex>(shared); secret < tenants.directory.secrets().size();
       ++secret) {
    if (std::find(order.begin(), tried, secret) != tried) continue;
    if (is_signed_by(tenants, secret, digest, body)) return secret;
  }
  return SignerError::unknown;
}

}  // namespace socialsync::ingest
