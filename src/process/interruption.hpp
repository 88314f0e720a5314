#pragma once

#include <array>
#include <functional>
#include <stop_token>
#include <thread>

#include <signal.h>

namespace socialsync::process {

// While it exists, SIGINT, SIGTERM and SIGHUP are remembered instead of ending the program. One at a time.
class Interruption {
 public:
  // `on_request` is called on a thread of its own, every 100 ms from the first signal on: for work that waits
  // for a server and must be cancelled.
  explicit Interruption(std::function<void()> on_request = {});
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  bool requested() const;

 private:
  static constexpr std::array signals_{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, signals_.size()> before_{};
  std::jthread thread_;
};

}  // namespace socialsync::process
