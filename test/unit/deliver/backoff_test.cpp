#include "deliver/backoff.hpp"

#include <vector>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

Reply reply(int status, std::optional<std::chrono::seconds> retry_after = std::nullopt) {
  Reply reply;
  reply.status = status;
  reply.retry_after = retry_after;
  return reply;
}

TEST_CASE("backoff: ten attempts in three days, then none") {
  const std::vector<std::chrono::milliseconds> delays = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  for (std::uint32_t attempt = 1; attempt < attempts_max; ++attempt)
    CHECK(delay_after(attempt, reply(500), 0) == delays[attempt - 1]);
  CHECK_FALSE(delay_after(attempts_max, reply(500), 0));
  CHECK_FALSE(delay_after(attempts_max, reply(503, 1h), 0));
  CHECK_FALSE(delay_after(1000, reply(500), 0));
}

TEST_CASE("backoff: jitter adds a tenth at most") {
  CHECK(delay_after(1, reply(500), 0.5) == 5250ms);
  CHECK(delay_after(9, reply(500), 1.0) == 24h + 144min);
}

TEST_CASE("backoff: Retry-After extends, and never shortens") {
  CHECK(delay_after(1, reply(503, 60s), 0) == 60s);
  CHECK(delay_after(1, reply(429, 60s), 0) == 60s);
  CHECK(delay_after(2, reply(503, 60s), 0) == 5min);
  CHECK(delay_after(1, reply(503, 0s), 0) == 5s);
  CHECK(delay_after(1, reply(503, -1h), 0) == 5s);
  CHECK(delay_after(1, reply(503, 60s), 0.5) == 63s);
}

TEST_CASE("backoff: Retry-After has a limit, and counts with 429 and 503 only") {
  CHECK(delay_after(1, reply(503, 11h), 0) == 10h);
  CHECK(delay_after(1, reply(429, std::chrono::seconds::max()), 0) == 10h);
  CHECK(delay_after(8, reply(503, 11h), 0) == 20h);
  for (const int status : {0, 200, 302, 400, 500, 502}) CHECK(delay_after(1, reply(status, 1h), 0) == 5s);
}

}  // namespace
}  // namespace socialsync::deliver
