#include "process/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace socialsync::process {
namespace {

constexpr int cannot_start = 127;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {
    if (number_ < 0) fail("cannot open a descriptor");
  }
  ~Descriptor() { close_now(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  void close_now() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

int memory_file(std::string_view content) {
  const int descriptor = memfd_create("input", MFD_CLOEXEC);
  if (descriptor < 0) return descriptor;
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0) fail("cannot write a program's input");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

// The arguments of exec, built before fork: the new process must not allocate, because another thread may
// have held the allocator's lock.
class Execution {
 public:
  explicit Execution(const Command& command) {
    for (char** entry = environ; *entry; ++entry) {
      const std::string_view assignment(*entry);
      const bool replaced = std::ranges::any_of(
          command.environment, [&](const auto& added) { return assignment.starts_with(added.first + "="); });
      // The database server must not have the key of the secrets that it stores.
      if (!replaced && !assignment.starts_with("SOCIALSYNC_SECRETS_KEY="))
        environment_.emplace_back(assignment);
    }
    for (const auto& [name, value] : command.environment) environment_.push_back(name + "=" + value);
    for (const std::string& argument : command.arguments)
      argument_pointers_.push_back(const_cast<char*>(argument.c_str()));
    for (std::string& entry : environment_) environment_pointers_.push_back(entry.data());
    argument_pointers_.push_back(nullptr);
    environment_pointers_.push_back(nullptr);
  }

  [[noreturn]] void become(int input, int output) {
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvpe(argument_pointers_.front(), argument_pointers_.data(), environment_pointers_.data());
    constexpr std::string_view complaint = "cannot start the program\n";
    (void)!write(STDERR_FILENO, complaint.data(), complaint.size());
    // Not _exit(): a sanitizer's version would flush the parent's buffers.
    syscall(SYS_exit_group, cannot_start);
    __builtin_unreachable();
  }

 private:
  std::vector<std::string> environment_;
  std::vector<char*> argument_pointers_;
  std::vector<char*> environment_pointers_;
};

int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t count = read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Finished run(const Command& command) {
  Descriptor input(memory_file(command.input));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  Descriptor readable(ends[0]);
  Descriptor writable(ends[1]);
  Execution execution(command);
  const pid_t pid = fork();
  if (pid < 0) fail("cannot make a process");
  if (pid == 0) execution.become(input.number(), writable.number());
  writable.close_now();
  Finished finished;
  finished.output = read_all(readable.number());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  finished.exit_code = exit_code_of(status);
  return finished;
}

Child::Child(const Command& command, const std::string& log_path) {
  Descriptor input(memory_file(command.input));
  Descriptor log(open(log_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  Execution execution(command);
  pid_ = fork();
  if (pid_ < 0) fail("cannot make a process");
  if (pid_ > 0) return;
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGINT);
  execution.become(input.number(), log.number());
}

bool Child::running() {
  if (pid_ < 0) return false;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0) return true;
  if (ended == pid_) exit_code_ = exit_code_of(status);
  pid_ = -1;
  return false;
}

void Child::stop(int signal, std::chrono::seconds limit) {
  if (!running()) return;
  kill(pid_, signal);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Child::~Child() { stop(SIGINT, std::chrono::seconds(10)); }

}  // namespace socialsync::process
