#include "deliver/breaker.hpp"

#include <algorithm>

namespace socialsync::deliver {

bool Breaker::allows(TimePoint now) const { return is_closed() || (probe_at_ && *probe_at_ <= now); }

void Breaker::began() {
  if (is_closed()) return;
  is_probing_ = true;
  probe_at_.reset();
}

void Breaker::succeeded() { *this = Breaker(); }

void Breaker::failed(TimePoint now, double jitter) {
  if (probe_at_) return;
  if (is_probing_) {
    pause_ = std::min<std::chrono::milliseconds>(2 * pause_, breaker_open_max);
    return open(now, jitter);
  }
  if (++failures_ >= breaker_failures_max) open(now, jitter);
}

void Breaker::open(TimePoint now, double jitter) {
  const double added_ms = static_cast<double>(pause_.count()) * breaker_jitter_share * jitter;
  is_probing_ = false;
  probe_at_ = now + pause_ + std::chrono::milliseconds(static_cast<std::int64_t>(added_ms));
}

}  // namespace socialsync::deliver
