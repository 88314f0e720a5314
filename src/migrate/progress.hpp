// Progress of long work, and its interruption.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "process/interruption.hpp"

namespace socialsync::migrate {

struct Progress {
  std::string what;  // "backfill", "[4/17] index idx_social_accounts_page_id"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: unknown
  std::string unit{};       // "rows", "bytes"
  std::string note{};  // "waiting for lock, try 5, blocked by pid 4121 (idle in transaction 14m, app=report)"
};

// Called often, from the working thread; the callee limits how often it draws.
using ShowProgress = std::function<void(const Progress& progress)>;

struct Attention {
  const process::Interruption& interruption;
  const ShowProgress& show;

  // Throws Failure (interrupted) after SIGINT, SIGTERM or SIGHUP.
  void check() const;
};

// Shows `progress` repeatedly while `busy` is true: the work runs in another process or thread. Throws as
// check() does.
void attend(const Attention& attention, const std::function<bool()>& busy,
            const std::function<Progress()>& progress);

}  // namespace socialsync::migrate
