#include "simulation/plan.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "simulation/random.hpp"

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 7> behaviours = {"fast",     "slow",     "dead", "refusing",
                                                        "flapping", "limiting", "gone"};
constexpr std::array<std::string_view, 12> faults = {
    "database down",     "connections lost", "database slow",    "events locked",
    "deliveries locked", "hidden locks",     "results refused",  "transient errors",
    "process killed",    "process stopped",  "system clock set", "database clock set"};

milliseconds some_time(Random& random, milliseconds low, milliseconds high) {
  return milliseconds(random.between(low.count(), high.count()));
}

EndpointPlan make_endpoint(Random& random, milliseconds length) {
  EndpointPlan endpoint;
  if (random.chance(0.6)) endpoint.behaviour = static_cast<Behaviour>(random.below(behaviours.size()));
  if (endpoint.behaviour == Behaviour::gone && random.chance(0.7)) endpoint.behaviour = Behaviour::slow;
  endpoint.from = some_time(random, 0ms, length / 2);
  endpoint.until = endpoint.from + some_time(random, 10s, length);
  if (random.chance(0.3)) endpoint.until = endpoint.from + some_time(random, 1h, 40h);
  endpoint.concurrent_max = static_cast<std::uint32_t>(random.between(1, 8));
  if (random.chance(0.15)) endpoint.per_second_max = static_cast<std::uint32_t>(random.between(1, 20));
  return endpoint;
}

RequestPlan make_request(Random& random, const Plan& plan, milliseconds at) {
  RequestPlan request{.at = at, .process = random.below(plan.processes), .rows = {}, .endpoints = {}};
  const std::size_t rows = random.chance(0.1) ? random.below(20) + 1 : random.below(3) + 1;
  const bool is_doubtful = random.chance(0.08);
  for (std::size_t row = 0; row < rows; ++row) {
    RowFate fate = RowFate::good;
    if (is_doubtful && random.chance(0.4)) fate = static_cast<RowFate>(random.between(1, 3));
    request.rows.push_back(fate);
  }
  for (std::size_t endpoint = 0; endpoint < plan.endpoints.size(); ++endpoint) {
    if (random.chance(1.5 / static_cast<double>(plan.endpoints.size())))
      request.endpoints.push_back(endpoint);
  }
  request.is_repeated = random.chance(0.05);
  return request;
}

FaultPlan make_fault(Random& random, const Plan& plan, milliseconds length) {
  FaultPlan fault;
  fault.kind = static_cast<FaultKind>(random.below(faults.size()));
  fault.from = some_time(random, 0ms, length);
  fault.until = fault.from + (random.chance(0.5) ? some_time(random, 10ms, 5s) : some_time(random, 1s, 3min));
  fault.process = random.below(plan.processes);
  switch (fault.kind) {
    case FaultKind::database_slow: fault.amount = random.between(5, random.chance(0.5) ? 200 : 40'000); break;
    case FaultKind::system_clock_set: fault.amount = random.between(-90'000, 90'000); break;
    case FaultKind::database_clock_set: fault.amount = random.between(-600, 600); break;
    default: fault.amount = random.between(1, random.chance(0.5) ? 5 : 100);
  }
  return fault;
}

}  // namespace

milliseconds Plan::end() const {
  milliseconds end{0};
  for (const EndpointPlan& endpoint : endpoints)
    if (endpoint.behaviour != Behaviour::fast) end = std::max(end, endpoint.until);
  for (const RequestPlan& request : requests) end = std::max(end, request.at);
  for (const FaultPlan& fault : faults) end = std::max(end, fault.until);
  return end;
}

Plan make_plan(std::uint64_t seed) {
  Random random(seed);
  Plan plan{.seed = seed, .endpoints = {}, .requests = {}, .faults = {}};
  plan.processes = static_cast<std::size_t>(random.between(1, 3));
  plan.hands_over = random.chance(0.7);
  const milliseconds length = some_time(random, 30s, random.chance(0.5) ? 3min : 30min);
  const std::size_t endpoints = random.chance(0.3) ? 0 : random.below(8) + 1;
  for (std::size_t i = 0; i < endpoints; ++i) plan.endpoints.push_back(make_endpoint(random, length));
  const std::size_t requests = random.below(random.chance(0.3) ? 2'000 : 300) + 1;
  const bool is_bursty = random.chance(0.4);
  milliseconds at{0};
  for (std::size_t i = 0; i < requests; ++i) {
    if (!is_bursty || random.chance(0.02)) at = some_time(random, 0ms, length);
    plan.requests.push_back(make_request(random, plan, at));
  }
  std::ranges::sort(plan.requests, {}, &RequestPlan::at);
  const std::size_t count = random.chance(0.35) ? 0 : random.below(8) + 1;
  for (std::size_t i = 0; i < count; ++i) plan.faults.push_back(make_fault(random, plan, length));
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text = fmt::format("  {} processes{}, {} requests\n", plan.processes,
                                 plan.hands_over ? " that hand over" : "", plan.requests.size());
  for (std::size_t i = 0; i < plan.endpoints.size(); ++i) {
    const EndpointPlan& endpoint = plan.endpoints[i];
    text +=
        fmt::format("  endpoint {}: {} from {} ms to {} ms, at most {} at once{}\n", i,
                    behaviours[static_cast<std::size_t>(endpoint.behaviour)], endpoint.from.count(),
                    endpoint.until.count(), endpoint.concurrent_max,
                    endpoint.per_second_max ? fmt::format(", {} a second", *endpoint.per_second_max) : "");
  }
  for (const FaultPlan& fault : plan.faults)
    text += fmt::format("  fault: {} from {} ms to {} ms, amount {}, process {}\n",
                        faults[static_cast<std::size_t>(fault.kind)], fault.from.count(), fault.until.count(),
                        fault.amount, fault.process);
  constexpr std::size_t requests_shown_max = 12;
  if (plan.requests.size() > requests_shown_max) return text;
  for (const RequestPlan& request : plan.requests)
    text += fmt::format("  request at {} ms to process {}: {} events for {} endpoints{}\n",
                        request.at.count(), request.process, request.rows.size(), request.endpoints.size(),
                        request.is_repeated ? ", repeated" : "");
  return text;
}

}  // namespace socialsync::simulation
