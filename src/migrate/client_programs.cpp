#include "migrate/client_programs.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {
namespace {

namespace files = std::filesystem;

constexpr const char* installations = "/usr/lib/postgresql";  // Debian's: one folder per major version

// Returns a path under `installations`; empty when no installed version fits.
std::string lowest_that_fits(const std::string& name, int major_min) {
  int lowest = 0;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(installations, error)) {
    const int major = std::atoi(entry.path().filename().c_str());
    const bool fits = major >= major_min && (lowest == 0 || major < lowest);
    if (fits && access((entry.path() / "bin" / name).c_str(), X_OK) == 0) lowest = major;
  }
  return lowest == 0 ? "" : fmt::format("{}/{}/bin/{}", installations, lowest, name);
}

std::string version_in(const std::string& printed) {
  constexpr std::string_view before = "(PostgreSQL) ";
  const std::size_t begin = printed.find(before);
  if (begin == std::string::npos) return "";
  const std::size_t start = begin + before.size();
  return printed.substr(start, printed.find_first_of(" \n", start) - start);
}

std::string printed_version(const std::string& path) {
  return process::run({.arguments = {path, "--version"}}).output;
}

constexpr const char* service_name = "socialsync";

// https://www.postgresql.org/docs/current/libpq-pgservice.html
std::string service_text(const pg::ConnectionOptions& options) {
  std::string text = std::string("[") + service_name + "]\n";
  for (const auto& [keyword, value] : pg::expanded(options))
    text.append(keyword).append("=").append(value).append("\n");
  return text;
}

// `server_settings` as in PGOPTIONS.
std::vector<std::pair<std::string, std::string>> client_environment(const TemporaryFile& service,
                                                                    const std::string& server_settings) {
  return {{"PGSERVICEFILE", service.path()}, {"PGSERVICE", service_name}, {"PGOPTIONS", server_settings}};
}

// The restored copy is dropped: its commits need not wait for the disk or for a standby.
constexpr const char* copy_settings = "-c synchronous_commit=off -c default_transaction_read_only=off";

}  // namespace

int major_version_in(const std::string& printed) { return std::atoi(version_in(printed).c_str()); }

std::string version_of_program(const std::string& path) { return version_in(printed_version(path)); }

std::string find_client_program(const std::string& name, int server_version) {
  const int major = server_version / 10'000;
  const std::string installed = lowest_that_fits(name, major);
  if (!installed.empty()) return installed;
  const int in_path = major_version_in(printed_version(name));
  if (in_path >= major) return name;
  throw Failure(
      Exit::refused,
      fmt::format(
          "the server is PostgreSQL {0}, and {1}: apt-get install postgresql-client-{0} (where Debian "
          "has none, from https://apt.postgresql.org)",
          major, in_path == 0 ? name + " is not installed" : fmt::format("{} here is of {}", name, in_path)));
}

TemporaryFile::TemporaryFile(std::string_view text) : path_("/tmp/socialsync-XXXXXX") {
  const int descriptor = mkstemp(path_.data());
  if (descriptor < 0) throw std::runtime_error("cannot create a file in /tmp");
  const bool written = write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(descriptor);
  if (written) return;
  unlink(path_.c_str());
  throw std::runtime_error("cannot write " + path_);
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

std::string TemporaryFile::text() const {
  std::ifstream file(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

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
      service_(service_text(options)),
      child_({.arguments = std::move(arguments), .environment = client_environment(service_, copy_settings)},
             printed_.path()) {}

void ClientRun::finish(const Attention& attention, const std::function<Progress()>& progress) {
  attend(attention, [this] { return child_.running(); }, progress);
  if (child_.exit_code() == 0) return;
  const std::string output = without_rows(printed_.text());
  const bool lacks_right = output.find("permission denied") != std::string::npos;
  throw Failure(lacks_right ? Exit::refused : Exit::no_backup,
                fmt::format("{} failed (exit code {}):\n{}", program_, child_.exit_code(),
                            output.empty() ? "no output; is the disk full?" : output));
}

std::string run_psql(const pg::ConnectionOptions& options, std::string_view sql) {
  const TemporaryFile service(service_text(options));
  const process::Finished finished =
      process::run({.arguments = {"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"},
                    .environment = client_environment(service, ""),
                    .input = sql});
  if (finished.exit_code != 0) throw PsqlFailed(finished.output);
  return finished.output;
}

}  // namespace socialsync::migrate
