#pragma once

#include <string>
#include <string_view>

namespace socialsync::migrate {

// A file in /tmp that only we can read, gone when this is. Throws std::runtime_error when it cannot be
// written.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text = {});
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  std::string text() const;

 private:
  std::string path_;
};

}  // namespace socialsync::migrate
