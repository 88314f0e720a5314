// An endpoint that is to be made or changed, from options.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/app/command.hpp"

namespace socialsync::cli::endpoints {

struct Draft {
  std::optional<std::string> url;
  bool is_pulled = false;
  std::optional<std::string> events;  // commas between
  std::optional<std::string> format;
  std::vector<std::string> headers;  // "Name: value"
  std::string headers_file;
  std::optional<std::string> is_ordered;  // yes or no
  std::optional<std::uint32_t> concurrent_max;
  std::optional<std::uint32_t> per_second_max;
  std::optional<std::string> description;
  std::string app_secret_file;
  std::string verify_token_file;  // for the handshake with the URL
  bool skips_handshake = false;
  std::vector<std::string> cleared;  // names of columns
};

// The draft lives as long as the command's callback does.
void add_draft_options(Command command, Draft& draft);

// What store::add_endpoint() and store::change_endpoint() take. Reads the files; warns of a URL without TLS.
// Throws Failure (wrong_usage) that says what cannot be taken, and never the value of a secret or of
// a header.
std::string values_of(const Draft& draft);

}  // namespace socialsync::cli::endpoints
