// How receivers answer.
#pragma once

#include <chrono>

#include "deliver/wire/exchange.hpp"
#include "simulation/plan.hpp"
#include "simulation/random.hpp"
#include "simulation/schedule.hpp"

namespace socialsync::simulation {

// The reply of an endpoint to a request that begins now; Reply::took says when it comes. `since`: the
// history's begin.
inline deliver::Reply reply_of(const EndpointPlan& endpoint, milliseconds since, Random& random) {
  using std::chrono::microseconds;
  constexpr milliseconds sender_timeout{10'000};
  constexpr milliseconds flap{10'000};
  deliver::Reply reply;
  reply.status = 200;
  reply.took = microseconds(random.between(1'000, 80'000));
  const bool is_sick = endpoint.from <= since && since < endpoint.until;
  if (!is_sick) return reply;
  switch (endpoint.behaviour) {
    case Behaviour::fast: break;
    case Behaviour::slow: reply.took = milliseconds(random.between(1'000, 9'500)); break;
    case Behaviour::dead:
      reply.error = deliver::SendError::timed_out;
      reply.status = 0;
      reply.took = sender_timeout;
      break;
    case Behaviour::flapping:
      if ((since / flap) % 2 == 0) break;
      [[fallthrough]];
    case Behaviour::refusing:
      reply.error = deliver::SendError::not_connected;
      reply.status = 0;
      reply.took = milliseconds(2);
      break;
    case Behaviour::limiting:
      reply.status = 429;
      reply.retry_after = std::chrono::seconds(random.between(1, 120));
      break;
    case Behaviour::gone: reply.status = 410;
  }
  return reply;
}

}  // namespace socialsync::simulation
