#include "process/interruption.hpp"

#include <atomic>
#include <chrono>
#include <utility>

namespace socialsync::process {
namespace {

constexpr std::chrono::milliseconds poll_interval{100};

// Global, since a signal handler can set nothing else.
std::atomic<bool> is_requested{false};

void remember(int) { is_requested = true; }

}  // namespace

Interruption::Interruption(std::function<void()> on_request) {
  is_requested = false;
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < signals_.size(); ++i) {
    sigaction(signals_[i], &action, &before_[i]);
    // A signal that nohup ignores stays ignored.
    if (before_[i].sa_handler == SIG_IGN) sigaction(signals_[i], &before_[i], nullptr);
  }
  if (!on_request) return;
  thread_ = std::jthread([on_request = std::move(on_request)](const std::stop_token& ending) {
    while (!ending.stop_requested()) {
      std::this_thread::sleep_for(poll_interval);
      if (is_requested) on_request();
    }
  });
}

Interruption::~Interruption() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  for (std::size_t i = 0; i < signals_.size(); ++i) sigaction(signals_[i], &before_[i], nullptr);
}

bool Interruption::requested() const { return is_requested; }

}  // namespace socialsync::process
