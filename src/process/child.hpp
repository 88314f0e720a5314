// Other programs: run one to its end, or keep one running.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace socialsync::process {

struct Command {
  std::vector<std::string> arguments;  // the program first; looked up in PATH when it has no slash
  std::vector<std::pair<std::string, std::string>> environment{};  // added to this process's
  std::string_view input{};                                        // its standard input
};

struct Finished {
  int exit_code = 0;   // 128 + signal if killed; 127 if it could not be started
  std::string output;  // standard output and error, interleaved
};

// Runs the program to its end. Throws std::system_error if no process can be created.
Finished run(const Command& command);

// A program that runs beside this one. Its own process group keeps a terminal's Ctrl-C from it until this
// program has stopped. The kernel sends it SIGINT when this program dies, for any reason.
class Child {
 public:
  // Appends its output to the file `log_path`.
  Child(const Command& command, const std::string& log_path);
  // Calls stop(SIGINT).
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool running();
  // The exit code as in Finished, once it no longer runs.
  int exit_code() const { return exit_code_; }
  // Sends the signal and waits; kills it after `limit`.
  void stop(int signal, std::chrono::seconds limit);

 private:
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

}  // namespace socialsync::process
