#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace socialsync::migrate {

// The directory of an unfinished backup: its final name with the suffix .partial, mode 0700. The destructor
// deletes it unless finish() has renamed it.
class BackupDirectory {
 public:
  static constexpr const char* manifest_name = "manifest.json";
  static constexpr const char* suffix = ".partial";

  // Throws Failure (refused) when the directory exists or cannot be created.
  explicit BackupDirectory(std::filesystem::path finished);
  ~BackupDirectory();
  BackupDirectory(const BackupDirectory&) = delete;
  BackupDirectory& operator=(const BackupDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path dump() const { return path_ / "dump"; }

  // The dump's files relative to path(), sorted.
  std::vector<std::string> file_names() const;
  // The size of the dump.
  std::uintmax_t bytes() const;

  // Writes the manifest, syncs, and renames the directory to its final name, which it returns. Throws
  // Failure.
  std::filesystem::path finish(const std::string& manifest);

 private:
  std::filesystem::path finished_;
  std::filesystem::path path_;
};

}  // namespace socialsync::migrate
