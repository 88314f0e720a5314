#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace socialsync::migrate {

// While it lives, SIGINT and SIGTERM do not end the program: they call `stop` once, on a thread of its own.
// Made before any other thread is, so that the signals come to nobody else.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> stop);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool happened() const { return happened_; }

 private:
  void wait_for_signal();

  std::function<void()> stop_;
  std::atomic<bool> happened_ = false;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace socialsync::migrate
