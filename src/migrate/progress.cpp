#include "migrate/progress.hpp"

#include <chrono>
#include <thread>

#include "base/failure.hpp"

namespace socialsync::migrate {

void Attention::check() const {
  if (interruption.requested()) throw Failure(Exit::interrupted, "interrupted; nothing is left behind");
}

void attend(const Attention& attention, const std::function<bool()>& busy,
            const std::function<Progress()>& progress) {
  constexpr std::chrono::milliseconds pause{50};
  while (busy()) {
    attention.check();
    attention.show(progress());
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace socialsync::migrate
