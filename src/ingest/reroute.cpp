#include "ingest/reroute.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "pg/sqlstate.hpp"
#include "pg/write_apart.hpp"
#include "store/events.hpp"
#include "verify/signature.hpp"

namespace socialsync::ingest {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t fingerprints_at_once = 1000;  // one takes about a microsecond
constexpr std::string_view rejected = "rejected_by_database";

pg::Statement statement_of(const char* name, const char* sql) { return {.name = name, .sql = sql}; }

// The platform of a row, which has our name for it or an account's label.
std::optional<model::Platform> platform_of(std::string_view name) {
  if (name.starts_with("whatsapp")) return model::Platform::whatsapp;
  if (name == "instagram") return model::Platform::instagram;
  if (name == "messenger" || name == "facebook") return model::Platform::messenger;
  return std::nullopt;
}

// The levels that the webhook around a stored part adds to a bare change.
constexpr std::size_t wrapping_depth = 4;

parse::Limits for_parts(parse::Limits limits) {
  limits.depth_max += wrapping_depth;
  return limits;
}

// The reason why a row stays; empty if it has events to log. A body with too many events stays: its first
// ones were logged on arrival, and the later ones would produce the same row again.
std::string why_not(const Submission& submission) {
  if (submission.webhook.is_cut_short) return "too_many_events";
  if (!submission.events.empty()) return {};
  if (submission.quarantined.empty()) return std::string(stays_empty);
  return std::string(submission.quarantined.front().reason);
}

std::size_t logged_bytes(const Submission& submission) {
  std::size_t bytes = 0;
  for (const store::EventRow& row : submission.events) bytes += row.payload.size();
  return bytes;
}

// The database's objection to one row; empty if the row is not at fault.
std::optional<std::string> complaint(const pg::Error& error) {
  // foreign_key_violation: the account was just deleted.
  if (error.sqlstate() == pg::sqlstate::foreign_key_violation) return "unknown_account";
  if (error.is_lock_conflict()) return std::string(stays_locked);
  if (error.kind() == pg::ErrorKind::data) return std::string(rejected);
  return std::nullopt;
}

bool finds(const route::Directory& directory, const model::Event& event, const route::Signers& signers,
           std::vector<const route::Tenant*>& found) {
  return directory.find(event, signers, found).has_value();
}

asio::awaitable<void> yield() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

asio::awaitable<void> pause_for(std::chrono::milliseconds duration) {
  if (duration.count() == 0) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

std::uint64_t RerouteReport::moved() const {
  std::uint64_t rows = 0;
  for (const auto& [reason, of] : reasons) rows += of.moved;
  return rows;
}

bool RerouteReport::any_locked() const {
  return std::ranges::any_of(
      reasons, [](const auto& reason) { return reason.second.stays.contains(std::string(stays_locked)); });
}

Rerouter::Rerouter(TenantsNow tenants, Sightings& sightings, RerouteLimits limits)
    : tenants_now_(std::move(tenants)),
      sightings_(sightings),
      limits_(limits),
      splitter_(limits.parse),
      part_splitter_(for_parts(limits.parse)) {}

// In portions: a large directory has many secrets, and requests wait.
asio::awaitable<void> Rerouter::learn_signers() {
  std::shared_ptr<const Tenants> now = tenants_now_();
  if (now == tenants_) co_return;
  const std::vector<std::string>& secrets = now->directory.secrets();
  std::unordered_map<std::string, route::SecretIndex> signers;
  for (std::uint32_t secret = 0; secret < secrets.size(); ++secret) {
    signers.emplace(verify::fingerprint_of(secrets[secret]), secret);
    if (secret % fingerprints_at_once == fingerprints_at_once - 1) co_await yield();
  }
  signers_ = std::move(signers);
  tenants_ = std::move(now);
}

asio::awaitable<std::vector<store::QuarantineGroup>> Rerouter::routable(
    std::vector<store::QuarantineGroup> groups) {
  co_await learn_signers();
  std::vector<const route::Tenant*> found;
  std::erase_if(groups, [&](const store::QuarantineGroup& group) {
    const auto signer = signers_.find(group.signed_by);
    const auto platform = platform_of(group.platform);
    if (signer == signers_.end() || !platform) return true;
    const route::Signers signers{.secrets = std::span(&signer->second, 1)};
    model::Event event;
    event.platform = *platform;
    event.key.entry_id = group.routing_key;
    if (finds(tenants_->directory, event, signers, found)) return false;
    event.key.phone_number_id = group.routing_key;
    return !finds(tenants_->directory, event, signers, found);
  });
  co_return groups;
}

asio::awaitable<void> Rerouter::run(pg::Connection& connection, const store::QuarantineFilter& filter,
                                    RerouteReport& report,
                                    const std::function<void(std::uint64_t rows)>& on_progress) {
  std::optional<store::QuarantinePlace> after;
  std::uint64_t looked_at = 0;
  for (;;) {
    const std::vector<store::QuarantinePlace> places =
        co_await store::find_quarantined(connection, filter, after, limits_.places_max);
    if (places.empty()) co_return;
    std::vector<Uuid> ids;
    std::uint64_t bytes = 0;
    for (std::size_t at = 0; at < places.size(); ++at) {
      ids.push_back(places[at].id);
      bytes += places[at].bytes;
      const bool is_last = at + 1 == places.size();
      const bool is_full = is_last || ids.size() == limits_.batch_rows_max ||
                           bytes + places[at + 1].bytes > limits_.batch_bytes_max;
      if (!is_full) continue;
      co_await reroute(connection, ids, report);
      looked_at += ids.size();
      if (on_progress) on_progress(looked_at);
      ids.clear();
      bytes = 0;
      co_await pause_for(limits_.pause);
    }
    after = places.back();
  }
}

asio::awaitable<void> Rerouter::reroute(pg::Connection& connection, std::span<const Uuid> ids,
                                        RerouteReport& report) {
  co_await learn_signers();
  std::vector<store::QuarantinedBody> bodies = co_await store::read_quarantined(connection, ids);
  Decisions to_write;
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (store::QuarantinedBody& body : bodies) {
    Decision decision = decide(std::move(body));
    if (!decision.stays.empty() || limits_.is_rehearsal) {
      tally(decision, report);
      continue;
    }
    events += decision.submission->events.size();
    bytes += logged_bytes(*decision.submission);
    to_write.push_back(std::move(decision));
    if (events < limits_.batch_events_max && bytes < limits_.batch_bytes_max) continue;
    co_await write(connection, to_write, report);
    co_await pause_for(limits_.pause);
    to_write.clear();
    events = bytes = 0;
  }
  co_await write(connection, to_write, report);
}

Rerouter::Decision Rerouter::decide(store::QuarantinedBody body) {
  Decision decision{.row = std::move(body.row)};
  const auto signer = signers_.find(decision.row.signed_by);
  if (decision.row.signed_by.empty()) {
    decision.stays = stays_unsigned;
  } else if (signer == signers_.end()) {
    decision.stays = stays_unknown_secret;
  } else if (decision.row.reason == "unreadable") {
    decision.stays = decision.row.reason;  // a part of a body: no webhook by itself
  }
  if (!decision.stays.empty()) return decision;
  const bool is_part = !decision.row.platform.empty();
  parse::Splitter& splitter = is_part ? part_splitter_ : splitter_;
  auto split = splitter.split(body.body, platform_of(decision.row.platform));
  const route::Signers signers{.secrets = std::span(&signer->second, 1)};
  decision.submission =
      placer_.place(tenants_, std::move(body.body), std::move(split), signers, decision.row.created_ms);
  decision.stays = why_not(*decision.submission);
  return decision;
}

// A row that the database refuses, or that waits for a lock, must not delay the others.
asio::awaitable<void> Rerouter::write(pg::Connection& connection, std::span<Decision> decisions,
                                      RerouteReport& report) {
  pg::WriteApart batch(decisions.size());
  while (const auto range = batch.next()) {
    const std::span<Decision> rows = decisions.subspan(range->first, range->size);
    std::string failure;
    const bool is_written = co_await write_once(connection, rows, failure);
    const bool is_refused_alone =
        batch.tell(is_written ? pg::WriteApart::Outcome::written : pg::WriteApart::Outcome::refused);
    if (!is_written && !is_refused_alone) continue;
    for (Decision& decision : rows) {
      if (!is_written) decision.stays = failure;
      tally(decision, report);
    }
  }
}

asio::awaitable<bool> Rerouter::write_once(pg::Connection& connection, std::span<Decision> decisions,
                                           std::string& failure) {
  std::optional<pg::Error> other;
  try {
    co_await move(connection, decisions);
    co_return true;
  } catch (const pg::Error& error) {
    if (error.kind() == pg::ErrorKind::connection) throw;
    const auto held_against = complaint(error);
    failure = held_against.value_or("");
    if (!held_against) other = error;
  }
  for (Decision& decision : decisions) decision.is_gone = false;
  const pg::Statement rollback = statement_of("rollback", "ROLLBACK");
  co_await connection.run(rollback);
  if (other) throw *other;
  co_return false;
}

// Deletes first: a row that another session has removed, to route or to erase it, must not be written. The
// deletion's locks suffice, so that SELECT, INSERT and DELETE are the only privileges needed.
asio::awaitable<void> Rerouter::move(pg::Connection& connection, std::span<Decision> decisions) {
  std::vector<Uuid> ids;
  for (const Decision& decision : decisions) ids.push_back(decision.row.id);
  std::ranges::sort(ids);
  const pg::Statement begin = statement_of("begin", "BEGIN");
  const pg::Statement commit = statement_of("commit", "COMMIT");
  co_await connection.run(begin);
  const std::vector<Uuid> taken = co_await store::delete_quarantined(connection, ids);
  const std::unordered_set<Uuid> ours(taken.begin(), taken.end());
  std::vector<store::EventRow*> events;
  std::vector<const store::QuarantineRow*> quarantined;
  for (Decision& decision : decisions) {
    decision.is_gone = !ours.contains(decision.row.id);
    if (decision.is_gone) continue;
    for (store::EventRow& row : decision.submission->events) events.push_back(&row);
    for (const store::QuarantineRow& row : decision.submission->quarantined) quarantined.push_back(&row);
  }
  std::ranges::sort(events, {}, [](const store::EventRow* row) { return row->id; });
  std::ranges::sort(quarantined, {}, [](const store::QuarantineRow* row) { return row->id; });
  co_await store::write_batch(connection, events, quarantined);
  co_await connection.run(commit);
}

void Rerouter::tally(const Decision& decision, RerouteReport& report) {
  RerouteReport::OfReason& of = report.reasons[decision.row.reason];
  ++of.rows;
  if (!decision.stays.empty()) {
    ++of.stays[decision.stays];
    return;
  }
  if (decision.is_gone) {
    ++of.gone;
    return;
  }
  ++of.moved;
  const Submission& submission = *decision.submission;
  for (std::size_t i = 0; i < submission.events.size(); ++i) {
    const bool counts = limits_.is_rehearsal || submission.events[i].is_new;
    ++(counts ? of.events : of.duplicates);
    ++of.accounts[submission.events[i].account_id.value_or(Uuid())];
    const route::Tenant* tenant = submission.tenant_of[i];
    if (limits_.is_rehearsal || !tenant) continue;
    sightings_.note(*tenant, decision.row.created_ms, told_by(*submission.event_of[i], *tenant, submission));
  }
}

}  // namespace socialsync::ingest
