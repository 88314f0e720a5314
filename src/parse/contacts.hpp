#pragma once

#include <string>
#include <vector>

#include "parse/json.hpp"

namespace socialsync::parse {

// The contacts[] of one WhatsApp value: who the people in its events are.
class Contacts {
 public:
  // `events` is how many events the value holds.
  Contacts(Value list, std::size_t events);

  // `"contacts":[…],` with the first few that `element` names, in their order; empty when it names none. A
  // lone contact belongs to a lone event even where their ids differ. Contacts that are no list go with every
  // event.
  std::string member_for(Value element) const;

 private:
  struct Id {
    std::string text;
    std::size_t position;

    auto operator<=>(const Id&) const = default;
  };

  std::vector<std::size_t> positions_of(Value element) const;

  Value list_;
  bool is_lone_;
  std::vector<Value> contacts_;
  std::vector<Id> ids_;  // sorted, each once: a hostile body has as many contacts as events
};

}  // namespace socialsync::parse
