#include "simulation/world.hpp"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "simulation/database.hpp"
#include "simulation/gateway.hpp"

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t steps_at_once_max = 200'000;
constexpr auto drain_max = 6 * 24h;  // more than the whole retry schedule
constexpr auto shutdown_max = 200s;  // more than the longest statement, reply and patience together
constexpr auto drain_glance = 10min;

Uuid id_of(std::uint8_t kind, std::size_t number, std::size_t part) {
  Uuid id;
  id.bytes[0] = kind;
  for (std::size_t byte = 0; byte < 4; ++byte) {
    id.bytes[8 + byte] = static_cast<std::uint8_t>(number >> (24 - 8 * byte));
    id.bytes[12 + byte] = static_cast<std::uint8_t>(part >> (24 - 8 * byte));
  }
  return id;
}

class World {
 public:
  explicit World(const Plan& plan)
      : plan_(plan),
        began_(schedule_.now()),
        faults_(schedule_, plan.faults),
        database_(schedule_, faults_, plan.seed),
        invariants_(schedule_, faults_, plan),
        shared_{schedule_, faults_, database_, invariants_, plan, began_, {}},
        processes_(plan.processes) {}

  History play() {
    History history;
    try {
      prepare();
      run_until_drained();
      shut_down();
    } catch (Violation& violation) {
      history.violation = std::move(violation);
    }
    // Gateways refer to themselves from the schedule.
    for (const auto& gateway : processes_)
      if (gateway) gateway->kill();
    history.lasted = schedule_.now() - began_;
    history.steps = schedule_.steps();
    history.sent = invariants_.sent();
    history.events = database_.events();
    return history;
  }

 private:
  void prepare() {
    for (std::size_t i = 0; i < plan_.endpoints.size(); ++i) {
      model::Endpoint endpoint;
      endpoint.id = id_of(2, i + 1, 0);
      endpoint.url = "https://receiver.example";
      endpoint.concurrent_max = plan_.endpoints[i].concurrent_max;
      endpoint.per_second_max = plan_.endpoints[i].per_second_max;
      shared_.endpoints.emplace(endpoint.id, i);
      database_.add(std::move(endpoint));
    }
    database_.observe({.queued =
                           [this](const store::DeliveryKey& key, std::size_t waiting_before) {
                             invariants_.queued(key, shared_.endpoints.at(key.endpoint_id), waiting_before);
                           },
                       .recorded = [this](const auto& row) { invariants_.recorded(row); },
                       .notify =
                           [this](bool are_endpoints_changed) {
                             for (const auto& gateway : processes_)
                               if (gateway) gateway->notify(are_endpoints_changed);
                           }});
    for (std::size_t i = 0; i < plan_.processes; ++i) start(i);
    for (std::size_t i = 0; i < plan_.requests.size(); ++i) plan_request(i);
    for (const FaultPlan& fault : plan_.faults) plan_fault(fault);
  }

  void plan_request(std::size_t number) {
    const RequestPlan& request = plan_.requests[number];
    schedule_.at(began_ + request.at, [this, number] { submit(number, plan_.requests[number].process); });
    if (!request.is_repeated) return;
    schedule_.at(began_ + request.at + 5s, [this, number] { submit(number, 0); });
  }

  void plan_fault(const FaultPlan& fault) {
    const TimePoint from = began_ + fault.from;
    const TimePoint until = began_ + fault.until;
    const std::size_t process = fault.process % plan_.processes;
    const bool is_loss = fault.kind == FaultKind::connections_lost || fault.kind == FaultKind::database_down;
    if (is_loss) schedule_.at(from, [this] { database_.lose_all(); });
    if (fault.kind == FaultKind::process_killed)
      schedule_.at(from, [this, process] {
        if (auto& gateway = processes_[process]) std::exchange(gateway, nullptr)->kill();
      });
    if (fault.kind == FaultKind::process_stopped) schedule_.at(from, [this, process] { stop(process); });
    const bool is_restart =
        fault.kind == FaultKind::process_killed || fault.kind == FaultKind::process_stopped;
    if (is_restart) schedule_.at(until, [this, process] { start(process); });
  }

  void start(std::size_t process) {
    auto& gateway = processes_[process];
    if (gateway && !gateway->is_stopping()) return;
    // One that still shuts down runs on beside the new one.
    if (gateway) old_.push_back(std::move(gateway));
    gateway = std::make_shared<Gateway>(shared_, process, ++lives_);
    gateway->start();
  }

  void stop(std::size_t process) {
    const std::shared_ptr<Gateway> gateway = processes_[process];
    if (!gateway || gateway->is_stopping()) return;
    gateway->stop();
    schedule_.after(shutdown_max, [this, process, gateway] {
      const bool is_killed = processes_[process] != gateway && std::ranges::find(old_, gateway) == old_.end();
      require(gateway->is_finished() || is_killed, "shutdown ends", fmt::format("process {}", process));
    });
  }

  void submit(std::size_t number, std::size_t process) {
    const std::shared_ptr<Gateway> gateway = processes_[process % plan_.processes];
    if (!gateway || gateway->is_stopping()) return;  // the sender sees no answer
    const RequestPlan& request = plan_.requests[number];
    auto submission = std::make_shared<ingest::Submission>();
    for (std::size_t i = 0; i < request.rows.size(); ++i) {
      store::EventRow row;
      row.id = id_of(1, number + 1, i);
      constexpr std::string_view fates[] = {"good", "refused", "unknown_account", "refused_everywhere"};
      row.type = fates[static_cast<std::size_t>(request.rows[i])];
      row.payload = R"({"a":1})";
      for (const std::size_t endpoint : request.endpoints)
        row.deliveries.push_back({.endpoint_id = id_of(2, endpoint + 1, 0)});
      submission->events.push_back(std::move(row));
    }
    gateway->submit(std::move(submission));
  }

  void run_until(TimePoint time) {
    while (!schedule_.empty() && schedule_.next_at() <= time) {
      const std::uint64_t at_once = schedule_.step();
      require(at_once < steps_at_once_max, "time moves on");
    }
  }

  void run_until_drained() {
    const TimePoint end = began_ + plan_.end() + 10s;
    run_until(end);
    for (std::size_t i = 0; i < plan_.processes; ++i) start(i);
    TimePoint glance = end;
    while (database_.pending() > 0) {
      require(glance < end + drain_max, "everything is delivered or dead-lettered in the end",
              fmt::format("{} deliveries are pending", database_.pending()));
      run_until(glance += drain_glance);
    }
  }

  void shut_down() {
    for (std::size_t i = 0; i < plan_.processes; ++i) stop(i);
    run_until(schedule_.now() + shutdown_max + 1s);
  }

  const Plan& plan_;
  Schedule schedule_;
  TimePoint began_;
  Faults faults_;
  Database database_;
  Invariants invariants_;
  Shared shared_;
  std::vector<std::shared_ptr<Gateway>> processes_;
  std::vector<std::shared_ptr<Gateway>> old_;
  std::uint64_t lives_ = 0;
};

}  // namespace

History play(const Plan& plan) { return World(plan).play(); }

}  // namespace socialsync::simulation
