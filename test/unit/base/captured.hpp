// The log, as it is written.
#pragma once

#include <cstdio>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.hpp"

namespace socialsync::log {

// Captures standard error during its lifetime, then resets the log to its defaults.
class Captured {
 public:
  Captured() : file_(memfd_create("log", MFD_CLOEXEC)), before_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
    std::fflush(stderr);
    REQUIRE(dup2(file_, STDERR_FILENO) >= 0);
  }
  ~Captured() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(file_);
    configure(false, false);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() const {
    std::fflush(stderr);
    std::string content(4096, '\0');
    const ssize_t count = pread(file_, content.data(), content.size(), 0);
    REQUIRE(count >= 0);
    content.resize(static_cast<std::size_t>(count));
    return content;
  }

 private:
  int file_;
  int before_;
};

}  // namespace socialsync::log
