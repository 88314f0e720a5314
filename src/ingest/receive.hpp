// Handles a webhook request, from its bytes to its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/log.hpp"
#include "base/result.hpp"
#include "http/message.hpp"
#include "ingest/batch.hpp"
#include "ingest/handover.hpp"
#include "ingest/place.hpp"
#include "ingest/quarantine_level.hpp"
#include "ingest/sightings.hpp"
#include "ingest/signer.hpp"
#include "ingest/submission.hpp"
#include "ingest/tenants.hpp"
#include "metrics/metrics.hpp"
#include "parse/split.hpp"

namespace socialsync::ingest {

struct ReceiverLimits {
  parse::Limits parse;
  std::uint64_t fallback_hash_bytes_per_second = 64 * 1024 * 1024;
  std::chrono::seconds retry_after{2};
};

// The verify tokens of the environment, valid beside the accounts' own.
struct VerifyTokens {
  std::string whatsapp;
  std::string instagram;
};

// For one thread. Its referents outlive it.
class Receiver {
 public:
  Receiver(const TenantKeeper& tenants, Batcher& batcher, Sightings& sightings, QuarantineLevel& quarantine,
           metrics::Metrics& metrics, VerifyTokens tokens, ReceiverLimits limits,
           Handover* handover = nullptr);

  // Meta's GET handshake. `platform` is the URL's; nullopt for the URL of all platforms.
  http::Response handshake(std::string_view query, std::optional<model::Platform> platform);

  // A signed POST: answered 200 only after all its rows are committed.
  asio::awaitable<http::Response> receive(http::Request request, std::optional<model::Platform> platform);

  // The number of computed HMACs.
  std::uint64_t signature_checks() const { return signers_.checks(); }

  // An unsigned POST of a developer's test; the answer lists the rows.
  asio::awaitable<http::Response> receive_test(http::Request request, model::Platform platform);

 private:
  using SplitBody = Result<model::Webhook, parse::ParseError>;
  asio::awaitable<http::Response> store(std::shared_ptr<Submission> submission);
  void record(const Submission& submission);
  void report_quarantine(const Submission& submission);
  http::Response refuse(SignerError error);
  http::Response refuse(int status, std::string_view code, std::string_view message);

  const TenantKeeper& tenants_;
  Batcher& batcher_;
  Sightings& sightings_;
  QuarantineLevel& quarantine_;
  metrics::Metrics& metrics_;
  VerifyTokens tokens_;
  ReceiverLimits limits_;
  Handover* handover_;  // null: this process does not deliver

  parse::Splitter splitter_;
  Placer placer_;
  SignerSearch signers_;
  log::RateLimit problem_lines_;
};

}  // namespace socialsync::ingest
