#include "ingest/sightings.hpp"

#include <algorithm>

namespace socialsync::ingest {

namespace asio = boost::asio;

Told told_by(const model::Event& event, const route::Tenant& tenant, const Submission& submission) {
  Told told;
  if (submission.signed_by.empty() || event.key.phone_number_id.empty()) return told;
  const route::Directory& directory = submission.tenants->directory;
  if (directory.may_be_waba(event.key.entry_id)) told.waba_id = event.key.entry_id;
  const std::string& number = event.key.display_phone_number;
  if (directory.may_learn_display(tenant, number)) told.display_phone_number = number;
  return told;
}

void Sightings::note(const route::Tenant& tenant, std::int64_t received_ms, Told told) {
  Entry& entry = entries_[tenant.account.id];
  entry.sighting.account_id = tenant.account.id;
  entry.sighting.received_ms = std::max(entry.sighting.received_ms, received_ms);
  const std::string_view waba_id = told.waba_id;
  if (!waba_id.empty() && waba_id != tenant.account.waba_id && waba_id != tenant.account.phone_number_id)
    entry.sighting.waba_id = waba_id;
  if (!told.display_phone_number.empty()) entry.sighting.display_phone_number = told.display_phone_number;
  entry.dirty = true;
}

std::vector<store::Sighting> Sightings::due(std::chrono::steady_clock::time_point now) const {
  std::vector<store::Sighting> sightings;
  for (const auto& [id, entry] : entries_) {
    if (entry.dirty && now - entry.written_at >= interval_) sightings.push_back(entry.sighting);
  }
  return sightings;
}

asio::awaitable<void> Sightings::write(pg::Connection& connection, std::vector<store::Sighting> sightings) {
  if (sightings.empty()) co_return;
  // Sorted, so that updates of two gateways cannot deadlock.
  std::ranges::sort(sightings, {}, &store::Sighting::account_id);
  co_await store::record_sightings(connection, sightings);
  const auto now = std::chrono::steady_clock::now();
  for (const store::Sighting& written : sightings) {
    Entry& entry = entries_[written.account_id];
    entry.written_at = now;
    entry.dirty = entry.sighting.received_ms > written.received_ms;
    if (entry.sighting.waba_id == written.waba_id) entry.sighting.waba_id.clear();
    if (entry.sighting.display_phone_number == written.display_phone_number)
      entry.sighting.display_phone_number.clear();
  }
}

asio::awaitable<void> Sightings::write_due(pg::Connection& connection) {
  std::vector<store::Sighting> sightings = due(std::chrono::steady_clock::now());
  co_await write(connection, std::move(sightings));
}

asio::awaitable<void> Sightings::flush(pg::Connection& connection) {
  std::vector<store::Sighting> sightings = due(std::chrono::steady_clock::time_point::max());
  co_await write(connection, std::move(sightings));
}

}  // namespace socialsync::ingest
