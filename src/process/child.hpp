// Other programs: run one to its end, or keep one beside us.
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
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours
  std::string_view input{};                                        // its standard input
};

struct Finished {
  int exit_code = 0;   // 128 + signal when it was killed; 127 when it could not be started
  std::string output;  // standard output and error, as they came
};

// Waits for its end. Throws std::system_error when no process can be made.
Finished run(const Command& command);

// A program that runs beside us, in a process group of its own so that a terminal's Ctrl-C does not reach it
// before we have stopped. The kernel sends it SIGINT when we die, however we die.
class Child {
 public:
  // Output goes to the end of the file `log_path`.
  Child(const Command& command, const std::string& log_path);
  // Stops it as stop(SIGINT) would.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool running();
  // As in Finished, of one that no longer runs.
  int exit_code() const { return exit_code_; }
  // Sends the signal and waits; after `limit`, kills.
  void stop(int signal, std::chrono::seconds limit);

 private:
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

}  // namespace socialsync::process
