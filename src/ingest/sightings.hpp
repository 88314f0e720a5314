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

// What an event tells of its account; empty where it tells nothing.
struct Told {
  std::string_view waba_id;
  std::string_view display_phone_number;
};

// What an event that a secret vouches for, and that names its number, tells of the account that has it. The
// views are the event's.
Told told_by(const model::Event& event, const route::Tenant& tenant, const Submission& submission);

// Collects what committed traffic shows of accounts (when the last webhook came, which WABA a number is
// under, how people write it) and writes it at most once per account and interval: never one update per
// event.
class Sightings {
 public:
  explicit Sightings(std::chrono::milliseconds interval) : interval_(interval) {}

  void note(const route::Tenant& tenant, std::int64_t received_ms, Told told);

  // Writes the accounts whose interval has passed. Throws what the connection throws; what was not written
  // stays.
  boost::asio::awaitable<void> write_due(pg::Connection& connection);

  // Writes all there is.
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
