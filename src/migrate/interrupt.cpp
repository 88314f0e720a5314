#include "migrate/interrupt.hpp"

#include <chrono>
#include <utility>

namespace socialsync::migrate {
namespace {

constexpr std::chrono::milliseconds poll_interval{100};

}  // namespace

Interrupt::Interrupt(std::function<void()> stop)
    : stop_(std::move(stop)), thread_([this] { call_when_requested(); }) {}

Interrupt::~Interrupt() {
  ending_ = true;
  thread_.join();
}

void Interrupt::call_when_requested() const {
  while (!ending_) {
    std::this_thread::sleep_for(poll_interval);
    if (signals_.requested()) stop_();
  }
}

}  // namespace socialsync::migrate
