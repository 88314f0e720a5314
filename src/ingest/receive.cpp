#include "ingest/receive.hpp"

#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "http/message.hpp"
#include "ingest/test_report.hpp"
#include "verify/handshake.hpp"
#include "verify/signature.hpp"

namespace socialsync::ingest {
namespace {

constexpr int problem_lines_per_second = 20;
constexpr std::size_t logged_key_characters_max = 64;
constexpr std::string_view signature_header = "X-Hub-Signature-256";

const std::vector<model::Event> no_events;

std::string_view result_of(const store::EventRow& row) {
  if (row.is_refused) return "rejected_by_database";
  return row.is_new ? row.status : "duplicate";
}

http::Response ok() {
  http::Response response;
  response.body = R"({"status":"ok"})";
  return response;
}

// The new quarantined rows of a committed body.
QuarantineSize quarantined_size(const Submission& submission) {
  QuarantineSize size;
  for (const store::QuarantineRow& row : submission.quarantined) {
    ++size.rows;
    size.bytes += row.body.size();
  }
  for (const store::EventRow& row : submission.events) {
    if (!row.is_refused) continue;
    ++size.rows;
    size.bytes += row.exact_payload.value_or(row.payload).size();
  }
  return size;
}

Result<crypto::Digest, verify::SignatureError> signature_of(const http::Request& request) {
  // Two headers could be read in two ways.
  if (request.headers.count(signature_header) > 1) return verify::SignatureError::malformed;
  return verify::parse_signature(request.headers.find(signature_header));
}

}  // namespace

Receiver::Receiver(const TenantKeeper& tenants, Batcher& batcher, Sightings& sightings,
                   QuarantineLevel& quarantine, metrics::Metrics& metrics, VerifyTokens tokens,
                   ReceiverLimits limits, Handover* handover)
    : tenants_(tenants),
      batcher_(batcher),
      sightings_(sightings),
      quarantine_(quarantine),
      metrics_(metrics),
      tokens_(std::move(tokens)),
      limits_(limits),
      handover_(handover),
      splitter_(limits.parse),
      signers_(limits.fallback_hash_bytes_per_second),
      problem_lines_(problem_lines_per_second) {}

asio::awaitable<http::Response> Receiver::receive(http::Request request,
                                                  std::optional<model::Platform> platform) {
  const auto digest = signature_of(request);
  if (digest.has_error()) co_return refuse(401, to_string(digest.error()), "X-Hub-Signature-256 is required");

  std::shared_ptr<const Tenants> tenants = tenants_.current();
  if (!tenants) co_return refuse(503, "starting", "the tenant directory is not loaded yet");

  // Most bodies are signed with a secret of the environment. Others name their accounts, and so the tenants'
  // own secrets to try; their events are trusted only after one matched.
  std::optional<route::SecretIndex> signer = signers_.find_shared(*tenants, *digest, request.body);
  if (!signer) {
    const auto allowed = signers_.may_split(*tenants, request.body);
    if (allowed.has_error()) co_return refuse(allowed.error());
  }
  SplitBody split = splitter_.split(request.body, platform);
  if (!signer) {
    const std::vector<model::Event>& events = split.has_value() ? split->events : no_events;
    const auto own = signers_.find_own(*tenants, *digest, request.body, events);
    if (own.has_error()) co_return refuse(own.error());
    signer = *own;
  }

  const route::Signers signers{.secrets = std::span(&*signer, 1)};
  auto submission = placer_.place(tenants, std::move(request.body), std::move(split), signers, now_ms());
  const bool wants_quarantine = !submission->quarantined.empty();
  if (wants_quarantine && quarantine_.is_full())
    co_return refuse(503, "quarantine_full",
                     "the quarantine is full, and an event is unroutable: retry later");
  http::Response response = co_await store(std::move(submission));
  co_return response;
}

asio::awaitable<http::Response> Receiver::receive_test(http::Request request, model::Platform platform) {
  std::shared_ptr<const Tenants> tenants = tenants_.current();
  if (!tenants) co_return refuse(503, "starting", "the tenant directory is not loaded yet");
  SplitBody split = splitter_.split(request.body, platform);
  if (split.has_error()) co_return refuse(400, to_string(split.error()), "the body is not a webhook");

  const route::Signers signers{.secrets = {}, .any_account = true};
  auto submission = placer_.place(tenants, std::move(request.body), std::move(split), signers, now_ms());
  http::Response response = co_await store(submission);
  if (response.status == 200) response.body = test_report(*submission);
  co_return response;
}

// The only place that answers 200, after the commit.
asio::awaitable<http::Response> Receiver::store(std::shared_ptr<Submission> submission) {
  if (submission->rows() > 0) {
    if (handover_) lease_deliveries(*submission, *handover_);
    const auto committed = co_await batcher_.commit(submission);
    if (committed.has_error()) {
      if (handover_) handover_->forget(*submission);
      const bool full = committed.error() == CommitError::overloaded;
      co_return refuse(503, full ? "overloaded" : "not_committed",
                       full ? "the queue is full" : "not committed in time");
    }
  }
  if (handover_) handover_->take(*submission);
  record(*submission);
  metrics_.request(submission->rows() > 0 ? "committed" : "empty");
  co_return ok();
}

void Receiver::record(const Submission& submission) {
  const std::int64_t received_ms = now_ms();
  for (std::size_t i = 0; i < submission.events.size(); ++i) {
    const model::Event& event = *submission.event_of[i];
    const store::EventRow& row = submission.events[i];
    metrics_.event(to_string(event.platform), row.type, result_of(row));
    if (const route::Tenant* tenant = submission.tenant_of[i])
      sightings_.note(*tenant, received_ms, told_by(event, *tenant, submission));
  }
  quarantine_.add(quarantined_size(submission));
  for (const store::QuarantineRow& row : submission.quarantined)
    metrics_.event(row.platform.empty() ? "unknown" : row.platform, row.type, row.reason);
  if (!submission.quarantined.empty()) report_quarantine(submission);
}

http::Response Receiver::handshake(std::string_view query, std::optional<model::Platform> platform) {
  const verify::HandshakeQuery asked{.mode = http::query_parameter(query, "hub.mode"),
                                     .token = http::query_parameter(query, "hub.verify_token"),
                                     .challenge = http::query_parameter(query, "hub.challenge")};
  std::vector<std::string_view> tokens;
  const auto add = [&](model::Platform of, const std::string& token) {
    if (!token.empty() && platform.value_or(of) == of) tokens.push_back(token);
  };
  add(model::Platform::whatsapp, tokens_.whatsapp);
  add(model::Platform::instagram, tokens_.instagram);
  if (const auto tenants = tenants_.current()) {
    const auto& own = tenants->directory.verify_tokens();
    tokens.insert(tokens.end(), own.begin(), own.end());
  }

  const auto challenge = verify::answer_handshake(asked, tokens);
  if (challenge.has_value()) {
    metrics_.request("handshake");
    return {.content_type = "text/plain", .body = *challenge, .headers = {}};
  }
  if (challenge.error() == verify::HandshakeError::wrong_token)
    return refuse(403, "wrong_verify_token", "hub.verify_token is not one of ours");
  return refuse(400, "bad_handshake", "hub.mode=subscribe, hub.verify_token and hub.challenge are required");
}

void Receiver::report_quarantine(const Submission& submission) {
  const auto left_out = problem_lines_.admit(std::chrono::steady_clock::now());
  if (!left_out) return;
  const store::QuarantineRow& first = submission.quarantined.front();
  log::info("quarantined", {{"parts", submission.quarantined.size()},
                            {"reason", first.reason},
                            {"platform", first.platform},
                            {"routing_key", first_characters(first.routing_key, logged_key_characters_max)},
                            {"first_id", to_string(first.id)},
                            {"lines_left_out", *left_out}});
}

http::Response Receiver::refuse(SignerError error) {
  if (error == SignerError::busy)
    return refuse(503, "signature_budget", "too many bodies under unexpected secrets");
  return refuse(401, "signature_wrong", "the signature is not that of a known app secret");
}

http::Response Receiver::refuse(int status, std::string_view code, std::string_view message) {
  metrics_.request(code);
  if (const auto left_out = problem_lines_.admit(std::chrono::steady_clock::now()))
    log::info("request refused", {{"status", status}, {"code", code}, {"lines_left_out", *left_out}});
  http::Response response = http::error_response(status, code, message);
  if (status == 503)
    response.headers.emplace_back("Retry-After", std::to_string(limits_.retry_after.count()));
  return response;
}

}  // namespace socialsync::ingest
