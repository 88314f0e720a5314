#include "migrate/interrupt.hpp"

#include <csignal>
#include <ctime>
#include <utility>

namespace socialsync::migrate {
namespace {

constexpr timespec poll_interval{.tv_sec = 0, .tv_nsec = 50'000'000};

sigset_t signals_that_stop() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Interrupt::Interrupt(std::function<void()> stop) : stop_(std::move(stop)) {
  const sigset_t signals = signals_that_stop();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { wait_for_signal(); });
}

Interrupt::~Interrupt() {
  ending_ = true;
  thread_.join();
  const sigset_t signals = signals_that_stop();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void Interrupt::wait_for_signal() {
  const sigset_t signals = signals_that_stop();
  while (!ending_) {
    if (sigtimedwait(&signals, nullptr, &poll_interval) < 0) continue;
    happened_ = true;
    stop_();
    return;
  }
}

}  // namespace socialsync::migrate
