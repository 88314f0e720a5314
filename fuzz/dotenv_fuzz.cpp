// Any bytes are a .env file: the names are names, the values fit their lines, and what has been read is read
// again as the same when it is written in double quotes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/dotenv.hpp"

namespace {

using namespace socialsync;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::string in_double_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text.push_back('\\');
    if (c == '\n') {
      text += "\\n";
    } else {
      text.push_back(c);
    }
  }
  return text + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  const auto settings = config::parse_dotenv(bytes);
  std::string written;
  for (const auto& [name, value] : settings) {
    require(!name.empty());
    for (const char c : name) require(is_name_character(c));
    require(name.size() + value.size() < size);
    written += name + "=" + in_double_quotes(value) + "\n";
  }
  require(config::parse_dotenv(written) == settings);
  return 0;
}
