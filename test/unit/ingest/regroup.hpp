// Single events, and the bodies that Meta could have sent them in.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "model/event.hpp"

namespace socialsync::ingest::test {

// The place of one event in a body; all texts are the original JSON.
struct Part {
  std::string object;
  std::string entry_id;
  std::string entry_time;     // empty: none
  bool has_own_time = false;  // its entry's time is then not part of its identity
  std::string block;          // changes, messaging, standby, changed_fields; empty: flat in its entry
  std::string element;        // the event, unless it is in a list:
  std::string field;
  std::string shared;  // the members that all elements of the value have around them
  std::string list;    // messages, statuses, …
  std::string list_element;
  std::vector<std::string> contacts;  // the element's contacts
};

// The parts of a body's events.
std::vector<Part> parts_of(const model::Webhook& webhook);

// Bodies that hold these parts, each once: in any order, in few bodies or many, entries, changes and lists
// merged or not.
std::vector<std::string> regrouped(std::vector<Part> parts, std::minstd_rand& random);

}  // namespace socialsync::ingest::test
