#include "process/account.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace socialsync::process {
namespace {

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

// A folder with other contents must not change its mode or owner.
void require_ours_or_empty(const std::string& directory) {
  namespace files = std::filesystem;
  std::error_code error;
  if (files::is_symlink(directory, error)) throw std::runtime_error(directory + " is a symbolic link");
  if (!files::exists(directory, error) || files::is_empty(directory, error)) return;
  if (files::exists(directory + "/lock", error)) return;
  throw std::runtime_error(directory +
                           " holds something else: set SOCIALSYNC_DATA_DIR to a folder of its own");
}

}  // namespace

void settle_in(const std::string& directory, const char* user) {
  require_ours_or_empty(directory);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw std::runtime_error("cannot make " + directory + ": " + error.message());
  if (geteuid() == 0) {
    const passwd* entry = getpwnam(user);
    if (!entry) throw std::runtime_error(std::string("there is no system user ") + user);
    require(chown(directory.c_str(), entry->pw_uid, entry->pw_gid) == 0,
            "cannot give " + directory + " away");
    require(initgroups(user, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 && setuid(entry->pw_uid) == 0,
            std::string("cannot become ") + user);
    setenv("HOME", directory.c_str(), 1);
  }
  require(chmod(directory.c_str(), S_IRWXU) == 0, "cannot protect " + directory);
  // The former working directory may be inaccessible to the new user; PostgreSQL's programs warn about that.
  require(chdir(directory.c_str()) == 0, directory + " cannot be reached by " + user_name() +
                                             ": set SOCIALSYNC_DATA_DIR to a folder that can");
}

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry ? entry->pw_name : std::to_string(geteuid());
}

}  // namespace socialsync::process
