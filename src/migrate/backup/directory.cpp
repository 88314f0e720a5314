#include "migrate/backup/directory.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.hpp"

namespace socialsync::migrate {
namespace {

namespace files = std::filesystem;

Failure cannot(const char* what, const files::path& path, int error) {
  return Failure(Exit::refused, fmt::format("cannot {} {}: {}", what, path.string(),
                                            std::generic_category().message(error)));
}

void sync(const files::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (!synced) throw cannot("write", path, error);
}

files::path without_slash(const files::path& path) { return path.has_filename() ? path : path.parent_path(); }

}  // namespace

BackupDirectory::BackupDirectory(files::path finished)
    : finished_(files::absolute(without_slash(finished))), path_(finished_.string() + suffix) {
  std::error_code error;
  if (files::exists(finished_, error) && !files::is_empty(finished_, error))
    throw Failure(Exit::refused, fmt::format("{} exists already: name another --dir", finished_.string()));
  files::create_directories(finished_.parent_path(), error);
  if (error) throw cannot("create", finished_.parent_path(), error.value());
  if (mkdir(path_.c_str(), 0700) == 0) return;
  if (errno != EEXIST) throw cannot("create", path_, errno);
  throw Failure(Exit::refused, fmt::format("{} exists: remove it if no other backup runs", path_.string()));
}

BackupDirectory::~BackupDirectory() {
  std::error_code error;
  if (!path_.empty()) files::remove_all(path_, error);
}

std::vector<std::string> BackupDirectory::file_names() const {
  std::vector<std::string> names;
  for (const auto& entry : files::recursive_directory_iterator(dump()))
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(path_));
  std::ranges::sort(names);
  return names;
}

std::uintmax_t BackupDirectory::bytes() const {
  std::uintmax_t sum = 0;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(dump(), error)) {
    const std::uintmax_t size = entry.file_size(error);
    if (!error) sum += size;
  }
  return sum;
}

files::path BackupDirectory::finish(const std::string& manifest) {
  const files::path file = path_ / manifest_name;
  std::ofstream output(file, std::ios::binary);
  output << manifest << '\n';
  output.close();
  if (!output) throw cannot("write", file, errno);
  sync(file);
  sync(path_);
  if (rename(path_.c_str(), finished_.c_str()) != 0) throw cannot("create", finished_, errno);
  sync(finished_.parent_path());
  path_.clear();
  return finished_;
}

}  // namespace socialsync::migrate
