#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace socialsync::migrate {

// How far something is that takes its time.
struct Progress {
  std::string what;  // "backfill", "[4/17] index idx_social_accounts_page_id"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::string unit{};       // "rows", "bytes"
  std::string note{};  // "waiting for lock, try 5, blocked by pid 4121 (idle in transaction 14m, app=report)"
};

// Called often, from the thread that works; whoever shows it limits how often it is shown.
using ShowProgress = std::function<void(const Progress& progress)>;

}  // namespace socialsync::migrate
