// Single events, and the bodies that Meta could have sent them in.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "model/event.hpp"

namespace socialsync::ingest::test {

// Where one event stood: all texts are JSON as it came.
struct Part {
  std::string object;
  std::string entry_id;
  std::string entry_time;     // empty: none
  bool has_own_time = false;  // so that its entry's is not part of what it is
  std::string block;          // changes, messaging, standby, changed_fields; empty: flat in its entry
  std::string element;        // what stands in the block, unless it stands in a list:
  std::string field;
  std::string shared;  // the members that all elements of the value have around them
  std::string list;    // messages, statuses, …
  std::string list_element;
  std::vector<std::string> contacts;  // those of the element
};

// The parts of a body's events.
std::vector<Part> parts_of(const model::Webhook& webhook);

// Bodies that hold these parts, each once: in any order, in few bodies or many, entries, changes and lists
// merged or not.
std::vector<std::string> regrouped(std::vector<Part> parts, std::minstd_rand& random);

}  // namespace socialsync::ingest::test
