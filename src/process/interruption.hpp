#pragma once

#include <array>

#include <signal.h>

namespace socialsync::process {

// While it exists, SIGINT, SIGTERM and SIGHUP do not end us but are remembered: for one that has to clean up
// first. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  bool requested() const;

 private:
  static constexpr std::array signals_{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, signals_.size()> before_{};
};

}  // namespace socialsync::process
