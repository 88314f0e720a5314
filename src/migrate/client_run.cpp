#include "migrate/client_run.hpp"

#include <filesystem>
#include <sstream>

#include <fmt/core.h>

#include "base/failure.hpp"

namespace socialsync::migrate {
namespace {

// A restore that is to be dropped need not wait for the disk, let alone for a standby.
constexpr const char* server_settings = "-c synchronous_commit=off -c default_transaction_read_only=off";

}  // namespace

std::string without_rows(const std::string& printed) {
  std::istringstream lines(printed);
  std::string kept;
  bool is_kept = true;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("DETAIL:") || line.starts_with("CONTEXT:")) is_kept = false;
    if (line.starts_with("pg_dump:") || line.starts_with("pg_restore:")) is_kept = true;
    if (is_kept) kept += (kept.empty() ? "" : "\n") + line;
  }
  return kept;
}

ClientRun::ClientRun(std::vector<std::string> arguments, const pg::ConnectionOptions& options)
    : program_(std::filesystem::path(arguments.front()).filename()),
      service_(options),
      child_({.arguments = std::move(arguments), .environment = service_.environment(server_settings)},
             printed_.path()) {}

void ClientRun::require_success() const {
  if (child_.exit_code() == 0) return;
  const std::string said = without_rows(printed_.text());
  const bool lacks_right = said.find("permission denied") != std::string::npos;
  throw Failure(lacks_right ? Exit::refused : Exit::no_backup,
                fmt::format("{} failed (exit code {}):\n{}", program_, child_.exit_code(),
                            said.empty() ? "it said nothing; is the disk full?" : said));
}

}  // namespace socialsync::migrate
