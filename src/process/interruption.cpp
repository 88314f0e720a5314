#include "process/interruption.hpp"

#include <atomic>

namespace socialsync::process {
namespace {

// A signal handler can only write to such a variable.
std::atomic<bool> is_requested{false};

void remember(int) { is_requested = true; }

}  // namespace

Interruption::Interruption() {
  is_requested = false;
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < signals_.size(); ++i) {
    sigaction(signals_[i], &action, &before_[i]);
    // Respect nohup.
    if (before_[i].sa_handler == SIG_IGN) sigaction(signals_[i], &before_[i], nullptr);
  }
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < signals_.size(); ++i) sigaction(signals_[i], &before_[i], nullptr);
}

bool Interruption::requested() const { return is_requested; }

}  // namespace socialsync::process
