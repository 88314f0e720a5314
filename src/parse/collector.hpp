#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "parse/limits.hpp"

namespace socialsync::parse {

// Collects the events and unreadable parts of one body, within the limits.
class Collector {
 public:
  // `fit_for_jsonb`: nothing in the whole body needs repair.
  Collector(const Limits& limits, bool fit_for_jsonb) : limits_(limits), fit_for_jsonb_(fit_for_jsonb) {}

  // Adds an event whose payload holds the received bytes; repairs the payload where jsonb would refuse it.
  void add(model::Event event);
  void add_unreadable(model::Platform platform, std::string entry_id, std::string_view bytes);

  // True once a limit was passed: further parts are dropped and the webhook is marked as cut short.
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
