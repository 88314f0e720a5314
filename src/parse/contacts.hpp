#pragma once

#include <string>
#include <vector>

#include "parse/json.hpp"

namespace socialsync::parse {

// The contacts[] of one WhatsApp value, matched to its events.
class Contacts {
 public:
  // `events` is how many events the value holds.
  Contacts(Value list, std::size_t events);

  // Returns `"contacts":[…],` with the first few contacts that `element` names, in their order; empty when
  // it names none. A lone contact belongs to a lone event even where their ids differ. A contacts member that
  // is not a list is copied into every event.
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
  std::vector<Id> ids_;  // sorted, unique: a hostile body has as many contacts as events
};

}  // namespace socialsync::parse
