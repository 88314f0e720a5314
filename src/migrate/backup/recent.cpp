#include "migrate/backup/recent.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "migrate/backup/directory.hpp"

namespace socialsync::migrate {
namespace {

namespace files = std::filesystem;

constexpr const char* advice = "make one: socialsync migrate backup";

Failure unusable(const files::path& directory, const std::string& reason) {
  return Failure(Exit::no_backup, fmt::format("the backup {} {}; {}", directory.string(), reason, advice));
}

BackupManifest read_manifest(const files::path& directory) {
  std::ifstream file(directory / BackupDirectory::manifest_name, std::ios::binary);
  if (!file) throw unusable(directory, "is missing, or has no readable manifest.json");
  try {
    return manifest_of({std::istreambuf_iterator<char>(file), {}});
  } catch (const std::exception& error) {
    throw unusable(directory, fmt::format("has an invalid manifest.json ({})", error.what()));
  }
}

// Returns nothing for a directory that is no finished backup.
std::optional<BackupReport> report_of(const files::path& directory) {
  try {
    return BackupReport{.directory = directory, .manifest = read_manifest(directory)};
  } catch (const Failure&) {
    return std::nullopt;
  }
}

BackupReport newest_of(const DatabaseIdentity& database, const AcceptedBackups& accepted) {
  std::optional<BackupReport> newest;
  std::error_code error;
  for (const auto& entry : files::directory_iterator("backups", error)) {
    if (entry.path().extension() == BackupDirectory::suffix) continue;
    const std::optional<BackupReport> found = report_of(entry.path());
    if (!found || !found->manifest.database.matches(database)) continue;
    if (found->manifest.schema_only && !accepted.schema_only) continue;
    if (!newest || newest->manifest.started_at < found->manifest.started_at) newest = found;
  }
  if (newest) return *newest;
  throw Failure(Exit::no_backup,
                fmt::format("no backup of the database {} under ./backups{}; {}", database.name,
                            accepted.schema_only ? "" : " with its rows", advice));
}

void require_kind(const BackupReport& report, const AcceptedBackups& accepted) {
  const BackupManifest& manifest = report.manifest;
  if (manifest.schema_only && !accepted.schema_only)
    throw unusable(report.directory, "holds the schema only, no rows");
  if (manifest.verified == Verified::no) throw unusable(report.directory, "was not verified");
  if (manifest.verified == Verified::read && !accepted.only_read)
    throw unusable(report.directory, fmt::format("was only read, not restored ({})", manifest.verified_note));
}

void require_age(const BackupReport& report, std::chrono::seconds age_max) {
  const std::chrono::seconds age(std::time(nullptr) - report.manifest.started_at);
  if (age <= age_max) return;
  throw unusable(report.directory,
                 fmt::format("is of {}, older than {} h", utc_text(report.manifest.started_at),
                             std::chrono::duration<double, std::ratio<3600>>(age_max).count()));
}

void require_file(const BackupReport& report, const BackupFile& file) {
  std::error_code error;
  if (!files::exists(report.directory / file.name, error))
    throw unusable(report.directory, fmt::format("is damaged: {} is missing", file.name));
  if (describe_file(report.directory, file.name, [](std::uint64_t) {}) != file)
    throw unusable(report.directory,
                   fmt::format("is damaged: {} has changed since it was written", file.name));
}

}  // namespace

BackupReport require_recent_backup(const pg::ConnectionOptions& options, const files::path& directory,
                                   std::chrono::seconds age_max, const AcceptedBackups& accepted) {
  pg::Session session(options);
  const DatabaseIdentity database = identify(session);
  const BackupReport report =
      directory.empty() ? newest_of(database, accepted)
                        : BackupReport{.directory = directory, .manifest = read_manifest(directory)};
  if (!report.manifest.database.matches(database))
    throw unusable(report.directory,
                   fmt::format("is of another database, {}", report.manifest.database.name));
  require_kind(report, accepted);
  require_age(report, age_max);
  for (const BackupFile& file : report.manifest.files) require_file(report, file);
  return report;
}

}  // namespace socialsync::migrate
