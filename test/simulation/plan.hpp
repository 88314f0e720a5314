// A history as data: made from a seed, shortened by leaving parts out, and replayed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace socialsync::simulation {

using std::chrono::milliseconds;

// How a receiver answers while it is not well.
enum class Behaviour : std::uint8_t { fast, slow, dead, refusing, flapping, limiting, gone };

struct EndpointPlan {
  Behaviour behaviour = Behaviour::fast;  // from `from` to `until`; fast before and after
  milliseconds from{0};
  milliseconds until{0};
  std::uint32_t concurrent_max = 4;
  std::optional<std::uint32_t> per_second_max;
};

enum class RowFate : std::uint8_t { good, refused, unknown_account, refused_everywhere };

struct RequestPlan {
  milliseconds at{0};
  std::size_t process = 0;
  std::vector<RowFate> rows;           // one event each
  std::vector<std::size_t> endpoints;  // that each event goes to
  bool is_repeated = false;            // sent a second time, to any process
};

enum class FaultKind : std::uint8_t {
  database_down,      // connections are lost, none is opened
  connections_lost,   // once; what runs is committed or not
  database_slow,      // each statement takes `amount` ms
  events_locked,      // inserts of `amount` percent of the events wait for a lock
  deliveries_locked,  // another transaction has `amount` percent of the outbox locked
  hidden_locks,       // the same, where locked_deliveries() does not see it
  results_refused,    // results of `amount` percent of the deliveries are refused
  transient_errors,   // `amount` percent of the statements
  process_killed,     // `process`; starts again at the end
  process_stopped,    // `process` shuts down; starts again at the end
  system_clock_set,   // the clock of `process` differs by `amount` seconds
  database_clock_set  // by `amount` seconds
};

struct FaultPlan {
  FaultKind kind = FaultKind::database_down;
  milliseconds from{0};
  milliseconds until{0};
  std::int64_t amount = 0;
  std::size_t process = 0;
};

struct Plan {
  std::uint64_t seed = 0;
  std::size_t processes = 1;
  bool hands_over = true;  // a gateway's worker takes new events from memory
  std::vector<EndpointPlan> endpoints;
  std::vector<RequestPlan> requests;
  std::vector<FaultPlan> faults;

  milliseconds end() const;  // when requests, faults and sick receivers have ended
};

Plan make_plan(std::uint64_t seed);
// A line for each fault and endpoint, and the requests' number; all of them when there are few.
std::string describe(const Plan& plan);

}  // namespace socialsync::simulation
