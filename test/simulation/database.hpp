// A model of PostgreSQL: the tables of this program as maps, transactions that commit at one moment, locks of
// other transactions, lost connections, and a clock of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "deliver/outbox.hpp"
#include "pg/error.hpp"
#include "simulation/faults.hpp"
#include "simulation/random.hpp"
#include "simulation/schedule.hpp"
#include "store/deliveries.hpp"
#include "store/endpoints.hpp"
#include "store/events.hpp"

namespace socialsync::simulation {

struct Answer {
  bool is_lost = false;            // the client does not know if it was committed
  std::optional<pg::Error> error;  // nothing was committed
};

// `apply` runs at the moment of the commit and returns a SQLSTATE, or nothing when it has changed the tables.
struct Statement {
  std::function<std::string()> apply;
  std::function<void(const Answer&)> answered;
};

class Session {
 public:
  bool is_open() const { return is_open_; }

 private:
  friend class Database;
  bool is_open_ = true;
  bool is_running_ = false;
  std::deque<Statement> statements_;  // the first one is running
  std::function<void()> on_lost_;     // for a session that waits for notifications
};

class Database {
 public:
  using Key = store::DeliveryKey;

  struct Row {
    enum class State : std::uint8_t { pending, delivered, dead };
    State state = State::pending;
    TimePoint due;  // by the database's clock
    int attempts = 0;
    std::shared_ptr<const std::string> payload;
  };
  // Told of each commit.
  struct Observer {
    std::function<void(const Key&, std::size_t waiting_before)> queued;
    std::function<void(const store::AttemptRow&)> recorded;
    std::function<void(bool are_endpoints_changed)> notify;
  };

  Database(Schedule& schedule, Faults& faults, std::uint64_t seed)
      : schedule_(schedule), faults_(faults), random_(seed) {}

  void observe(Observer observer) { observer_ = std::move(observer); }
  void add(model::Endpoint endpoint);

  // Calls `opened` with a session, or with nothing.
  void open(std::function<void(std::shared_ptr<Session>)> opened);
  void run(const std::shared_ptr<Session>& session, Statement statement);
  // Commits the running statements or not, by chance. Calls `answered`, unless the client is dead.
  void lose(const std::shared_ptr<Session>& session, bool is_client_alive = true);
  void lose_all();
  void when_lost(Session& session, std::function<void()> act) { session.on_lost_ = std::move(act); }

  // Transactions, for Statement::apply.
  std::string insert(std::span<store::EventRow* const> events,
                     std::span<const store::QuarantineRow* const> quarantined, std::vector<bool>& are_new);
  std::string select_endpoints(std::vector<store::EndpointState>& found, std::size_t& disabled);
  std::string select_due(std::vector<store::Due>& due);
  std::string claim(std::span<const store::Room> rooms, const store::ClaimTerms& terms, store::Claim& claim);
  std::string record(std::span<const store::AttemptRow> rows);
  std::string find_locked(std::span<const Key> keys, std::vector<Key>& locked);
  std::string record(std::span<const store::EndpointNews> news);
  std::string set_due(std::span<const Key> keys, milliseconds in);

  bool has_event(const Uuid& id) const { return events_.contains(id); }
  bool has_quarantined(const Uuid& id) const { return quarantine_.contains(id); }
  const Row* find(const Key& key) const;
  // Rows that are neither delivered nor dead-lettered, of endpoints that are enabled.
  std::size_t pending() const;
  std::size_t events() const { return events_.size(); }

 private:
  struct Endpoint {
    model::Endpoint endpoint;
    std::optional<TimePoint> failing_since;
    int warned_percent = 0;
    std::set<std::pair<TimePoint, Uuid>> due;  // its pending rows
  };

  TimePoint now() const { return schedule_.now() + faults_.database_offset(); }
  bool is_locked(const Key& key) const;
  std::chrono::nanoseconds latency();
  void begin(const std::shared_ptr<Session>& session);
  void end(const std::shared_ptr<Session>& session, bool has_waited);
  void set_due(const Key& key, Row& row, TimePoint due);

  Schedule& schedule_;
  Faults& faults_;
  Random random_;
  Observer observer_;
  std::vector<std::weak_ptr<Session>> sessions_;
  std::unordered_set<Uuid> events_;
  std::unordered_set<Uuid> quarantine_;
  std::unordered_map<Key, Row, deliver::DeliveryKeyHash> rows_;
  std::map<Uuid, Endpoint> endpoints_;
};

}  // namespace socialsync::simulation
