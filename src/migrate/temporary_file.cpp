#include "migrate/temporary_file.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <stdlib.h>
#include <unistd.h>

namespace socialsync::migrate {

TemporaryFile::TemporaryFile(std::string_view text) : path_("/tmp/socialsync-XXXXXX") {
  const int descriptor = mkstemp(path_.data());
  if (descriptor < 0) throw std::runtime_error("cannot make a file in /tmp");
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

}  // namespace socialsync::migrate
