#include "migrate/backfill/pace.hpp"

#include <thread>

#include <fmt/core.h>

#include "migrate/query.hpp"

namespace socialsync::migrate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds ask_interval{500};
constexpr milliseconds pause{200};

constexpr const char* select_lag = R"(
SELECT coalesce(max(extract(epoch FROM greatest(write_lag, flush_lag, replay_lag)) * 1000), 0)::bigint
FROM pg_stat_replication WHERE state IN ('catchup', 'streaming'))";

}  // namespace

milliseconds BackfillThrottle::lag() { return milliseconds(first_number(session_.query(select_lag))); }

void BackfillThrottle::wait(const std::function<bool()>& interrupted,
                            const std::function<void(const std::string&)>& tell) {
  if (std::chrono::steady_clock::now() - asked_ < ask_interval) return;
  for (milliseconds behind = lag(); behind > lag_max_ && !interrupted(); behind = lag()) {
    tell(fmt::format("paused, a standby lags by {:.1f} s", static_cast<double>(behind.count()) / 1000));
    std::this_thread::sleep_for(pause);
    paused_ += pause;
  }
  asked_ = std::chrono::steady_clock::now();
}

}  // namespace socialsync::migrate
