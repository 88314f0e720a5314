#pragma once

#include <functional>

#include "migrate/progress.hpp"
#include "process/interruption.hpp"

namespace socialsync::migrate {

// Whom long work tells how far it is, and who may ask it to stop.
struct Attention {
  const process::Interruption& interruption;
  const ShowProgress& show;

  // Throws Failure (interrupted) when we were asked to stop.
  void check() const;
};

// Shows what `progress` gives, again and again while `busy`, which works elsewhere: in another process or
// thread. Throws as check() does.
void attend(const Attention& attention, const std::function<bool()>& busy,
            const std::function<Progress()>& progress);

}  // namespace socialsync::migrate
