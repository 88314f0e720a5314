#include "ingest/receive.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "http/query.hpp"
#include "ingest/test_report.hpp"
#include "verify/handshake.hpp"
#include "verify/signature.hpp"

namespace socialsync::ingest {
namespace {

constexpr int problem_lines_per_second = 20;
constexpr std::string_view signature_header = "X-Hub-Signature-256";

http::Response ok() {
  http::Response response;
  response.body = R"({"status":"ok"})";
  return response;
}

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Result<crypto::Digest, verify::SignatureError> signature_of(const http::Request& request) {
  // Two headers are an attempt to be read in two ways.
  if (request.headers.count(signature_header) > 1) return verify::SignatureError::malformed;
  return verify::parse_signature(request.headers.find(signature_header));
}

}  // namespace

Receiver::Receiver(const TenantKeeper& tenants, Batcher& batcher, Sightings& sightings,
                   metrics::Metrics& metrics, VerifyTokens tokens, ReceiverLimits limits)
    : tenants_(tenants),
      batcher_(batcher),
      sightings_(sightings),
      metrics_(metrics),
      tokens_(std::move(tokens)),
      limits_(limits),
      splitter_(limits.parse),
      fallback_budget_(limits.fallback_hash_bytes_per_second),
      problem_lines_(problem_lines_per_second) {}

asio::awaitable<http::Response> Receiver::receive(http::Request request,
                                                  std::optional<model::Platform> platform) {
  const auto digest = signature_of(request);
  if (digest.has_error()) co_return refuse(401, to_string(digest.error()), "X-Hub-Signature-256 is required");

  std::shared_ptr<const Tenants> tenants = tenants_.current();
  if (!tenants) co_return refuse(503, "starting", "the tenant directory is not loaded yet");

  // The body tells which accounts it is for, and so which secrets may have signed it: one HMAC per secret
  // that could be right, however many tenants there are. Nothing is believed before one of them is.
  SplitBody split = splitter_.split(request.body, platform);
  const auto signer = find_signer(*tenants, *digest, request.body, split);
  if (signer.has_error()) {
    if (signer.error() == SignatureRefusal::busy)
      co_return refuse(503, "signature_budget", "too many bodies under unexpected secrets");
    co_return refuse(401, "signature_wrong", "the signature is not that of a known app secret");
  }

  const route::Signers signers{.secrets = std::span(&*signer, 1)};
  auto submission = placer_.place(tenants, std::move(request.body), std::move(split), signers, now_ms());
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

// One HMAC per candidate until one matches; beyond the candidates only within a budget.
Result<route::SecretIndex, Receiver::SignatureRefusal> Receiver::find_signer(const Tenants& tenants,
                                                                             const crypto::Digest& digest,
                                                                             std::string_view body,
                                                                             const SplitBody& split) {
  std::vector<route::SecretIndex> candidates;
  if (split.has_value()) {
    for (const model::Event& event : split->events) tenants.directory.add_candidates(event, candidates);
  }
  for (route::SecretIndex shared = 0; shared < tenants.directory.shared_secret_count(); ++shared) {
    if (std::ranges::find(candidates, shared) == candidates.end()) candidates.push_back(shared);
  }
  for (const route::SecretIndex secret : candidates) {
    if (tenants.keyring.signed_by(secret, digest, body)) return secret;
  }

  // Signed under another tenant's secret, or unreadable and signed under a tenant's own.
  const std::uint64_t others = tenants.directory.secrets().size() - candidates.size();
  if (others == 0) return SignatureRefusal::wrong;
  if (!fallback_budget_.take(others * body.size(), std::chrono::steady_clock::now()))
    return SignatureRefusal::busy;
  std::ranges::sort(candidates);
  for (route::SecretIndex secret = 0; secret < tenants.directory.secrets().size(); ++secret) {
    if (std::ranges::binary_search(candidates, secret)) continue;
    if (tenants.keyring.signed_by(secret, digest, body)) return secret;
  }
  return SignatureRefusal::wrong;
}

// 200 only from here, and only after the commit.
asio::awaitable<http::Response> Receiver::store(std::shared_ptr<Submission> submission) {
  if (submission->rows() > 0) {
    const auto committed = co_await batcher_.commit(submission);
    if (committed.has_error()) {
      const bool full = committed.error() == CommitError::overloaded;
      co_return refuse(503, full ? "overloaded" : "not_committed",
                       full ? "the queue is full" : "not committed in time");
    }
  }
  record(*submission);
  metrics_.request(submission->rows() > 0 ? "committed" : "empty");
  co_return ok();
}

void Receiver::record(const Submission& submission) {
  const std::int64_t received_ms = now_ms();
  for (std::size_t i = 0; i < submission.events.size(); ++i) {
    const model::Event& event = *submission.event_of[i];
    const store::EventRow& row = submission.events[i];
    metrics_.event(to_string(event.platform), row.type, row.is_new ? row.status : "duplicate");
    const bool tells_waba = !submission.signed_by.empty() && !event.key.phone_number_id.empty();
    sightings_.note(*submission.tenant_of[i], received_ms,
                    tells_waba ? event.key.entry_id : std::string_view());
  }
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
  add(model::Platform::messenger, tokens_.messenger);
  if (const auto tenants = tenants_.current()) {
    const auto& own = tenants->directory.verify_tokens();
    tokens.insert(tokens.end(), own.begin(), own.end());
  }

  const auto challenge = verify::answer_handshake(asked, tokens);
  if (challenge.has_value()) {
    metrics_.request("handshake");
    return {
        .content_type = "text/plain", .body = *challenge, .headers = {{"X-Content-Type-Options", "nosniff"}}};
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
                            {"routing_key", first.routing_key},
                            {"first_id", to_string(first.id)},
                            {"lines_left_out", *left_out}});
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
