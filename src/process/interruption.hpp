#pragma once

#include <array>

#include <signal.h>

namespace socialsync::process {

// While an object exists, SIGINT, SIGTERM and SIGHUP are recorded and do not end the process, so that it can
// clean up first. At most one object at a time.
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
