#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "ingest/submission.hpp"
#include "pg/connection.hpp"
#include "route/directory.hpp"
#include "store/accounts.hpp"

namespace socialsync::ingest {

// An account's data that an event reveals; empty where it reveals none.
struct Told {
  std::string_view waba_id;
  std::string_view display_phone_number;
};

// The account data in an event that is signed for the account and names its number. The views refer to
// the event.
Told told_by(const model::Event& event, const route::Tenant& tenant, const Submission& submission);

// Collects account data from committed traffic (time of the last webhook, WABA, display number) and writes it
// at most once per account and interval, not once per event.
class Sightings {
 public:
  explicit Sightings(std::chrono::milliseconds interval) : interval_(interval) {}

  void note(const route::Tenant& tenant, std::int64_t received_ms, Told told);

  // Writes the accounts whose interval has passed. Throws the connection's errors; unwritten
  // data is kept.
  boost::asio::awaitable<void> write_due(pg::Connection& connection);

  // Writes all unwritten data.
  boost::asio::awaitable<void> flush(pg::Connection& connection);

 private:
  struct Entry {
    store::Sighting sighting;
    bool dirty = false;
    std::chrono::steady_clock::time_point written_at;
  };

  std::vector<store::Sighting> due(std::chrono::steady_clock::time_point now) const;
  boost::asio::awaitable<void> write(pg::Connection& connection, std::vector<store::Sighting> sightings);

  std::chrono::milliseconds interval_;
  std::unordered_map<Uuid, Entry> entries_;
};

}  // namespace socialsync::ingest
