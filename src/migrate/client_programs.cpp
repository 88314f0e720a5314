#include "migrate/client_programs.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/core.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {
namespace {

namespace files = std::filesystem;

constexpr const char* installations = "/usr/lib/postgresql";  // Debian's: one folder per major version

// Of Debian's installations; empty when none fits.
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
          major, in_path == 0 ? "there is no " + name : fmt::format("{} here is of {}", name, in_path)));
}

}  // namespace socialsync::migrate
