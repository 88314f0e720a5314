#include "migrate/service_file.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* service = "socialsync";

std::string text_of(const pg::ConnectionOptions& options) {
  std::string text = std::string("[") + service + "]\n";
  for (const auto& [keyword, value] : pg::expanded(options))
    text.append(keyword).append("=").append(value).append("\n");
  return text;
}

}  // namespace

ServiceFile::ServiceFile(const pg::ConnectionOptions& options) : file_(text_of(options)) {}

std::vector<std::pair<std::string, std::string>> ServiceFile::environment(
    const std::string& server_settings) const {
  return {{"PGSERVICEFILE", file_.path()}, {"PGSERVICE", service}, {"PGOPTIONS", server_settings}};
}

}  // namespace socialsync::migrate
