#include "cli/text/json.hpp"

#include <fmt/core.h>

namespace socialsync::cli {
namespace json = boost::json;

void print_json(json::object document) {
  json::object versioned{{"v", 1}};
  for (auto& [name, value] : document) versioned[name] = std::move(value);
  fmt::print("{}\n", json::serialize(versioned));
}

json::value or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

}  // namespace socialsync::cli
