// The JSON documents of commands.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

namespace socialsync::cli {

// Prints the document on one line of standard output, with its version ("v":1) as first member.
void print_json(boost::json::object document);

// The text; null when it is empty.
boost::json::value or_null(const std::string& text);

boost::json::array array_of(const std::vector<std::string>& texts);

// One element for each item of the list.
template <class List, class Make>
boost::json::array array_of(const List& list, Make make) {
  boost::json::array array;
  for (const auto& item : list) array.push_back(make(item));
  return array;
}

// {"name": count, …} of a map or a list of such pairs.
template <class Counts>
boost::json::object counts_of(const Counts& counts) {
  boost::json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

}  // namespace socialsync::cli
