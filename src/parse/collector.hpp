#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "parse/limits.hpp"

namespace socialsync::parse {

// Gathers what one body yields, within the limits.
class Collector {
 public:
  // `fit_for_jsonb`: nothing in the whole body needs repair.
  Collector(const Limits& limits, bool fit_for_jsonb) : limits_(limits), fit_for_jsonb_(fit_for_jsonb) {}

  // Takes an event whose payload is as it came, and repairs that where needed.
  void add(model::Event event);
  void add_unreadable(model::Platform platform, std::string entry_id, std::string_view bytes);

  // True once a limit was passed: then nothing more is taken, and the webhook is cut short.
  bool is_full() const { return webhook_.is_cut_short; }

  model::Webhook take() { return std::move(webhook_); }

 private:
  bool has_room_for(std::size_t bytes);

  const Limits& limits_;
  bool fit_for_jsonb_;
  std::size_t bytes_ = 0;
  model::Webhook webhook_;
};

}  // namespace socialsync::parse
