#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "process/interruption.hpp"

namespace socialsync::migrate {

// While it lives, SIGINT, SIGTERM and SIGHUP do not end the program: they call `stop` once, on a thread of
// its own, for one that waits for the server.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> stop);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool happened() const { return signals_.requested(); }

 private:
  void call_when_requested() const;

  process::Interruption signals_;
  std::function<void()> stop_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace socialsync::migrate
