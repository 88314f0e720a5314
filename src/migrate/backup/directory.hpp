#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace socialsync::migrate {

// Where a backup grows: its directory's name with .partial behind it, mode 0700. Renamed when it is finished,
// else gone with this object.
class BackupDirectory {
 public:
  static constexpr const char* manifest_name = "manifest.json";
  static constexpr const char* suffix = ".partial";

  // Throws Failure (refused) when something is there already, or it cannot be made.
  explicit BackupDirectory(std::filesystem::path finished);
  ~BackupDirectory();
  BackupDirectory(const BackupDirectory&) = delete;
  BackupDirectory& operator=(const BackupDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path dump() const { return path_ / "dump"; }

  // The dump's files, as names within the backup, in order.
  std::vector<std::string> file_names() const;
  // How much the dump has grown to.
  std::uintmax_t bytes() const;

  // Writes the manifest and gives the directory its name, which is returned; on disk by then. Throws Failure.
  std::filesystem::path finish(const std::string& manifest);

 private:
  std::filesystem::path finished_;
  std::filesystem::path path_;
};

}  // namespace socialsync::migrate
