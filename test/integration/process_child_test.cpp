#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "process/child.hpp"

namespace socialsync::process {
namespace {

using namespace std::chrono_literals;

Finished shell(std::string script, std::string_view input = "") {
  return run({.arguments = {"sh", "-c", std::move(script)}, .environment = {}, .input = input});
}

// A folder of its own for a child's log, gone at the end.
class Folder {
 public:
  Folder() { REQUIRE(mkdtemp(path_.data())); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string log() const { return path_ + "/log"; }
  std::string logged() const {
    std::ifstream file(log());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // Waits, up to five seconds, until the log holds `text`.
  bool logs(const std::string& text) const {
    for (int i = 0; i < 500 && logged().find(text) == std::string::npos; ++i)
      std::this_thread::sleep_for(10ms);
    return logged().find(text) != std::string::npos;
  }

 private:
  std::string path_ = "/tmp/socialsync-child-XXXXXX";
};

TEST_CASE("process run: output of both streams, and the exit code") {
  const Finished finished = shell("echo out; echo err >&2; exit 3");
  CHECK(finished.output == "out\nerr\n");
  CHECK(finished.exit_code == 3);
  CHECK(shell("true").exit_code == 0);
}

TEST_CASE("process run: arguments are not read by a shell") {
  const Finished finished = run({.arguments = {"printf", "%s|", "$HOME", "a b", "", "*"}});
  CHECK(finished.output == "$HOME|a b||*|");
}

TEST_CASE("process run: large input and output") {
  const std::string large(3'000'000, 'x');
  const Finished finished = shell("cat", large);
  CHECK((finished.output == large));
  CHECK(shell("cat").output == "");
}

TEST_CASE("process run: the key of secrets at rest stays with us") {
  setenv("SOCIALSYNC_SECRETS_KEY", "a key", 1);
  setenv("SOCIALSYNC_SECRETS_KEY_FILE", "a path", 1);
  const Finished done = shell("printf '%s|%s' \"$SOCIALSYNC_SECRETS_KEY\" \"$SOCIALSYNC_SECRETS_KEY_FILE\"");
  unsetenv("SOCIALSYNC_SECRETS_KEY");
  unsetenv("SOCIALSYNC_SECRETS_KEY_FILE");
  CHECK(done.output == "|a path");
}

TEST_CASE("process run: the environment is ours, with additions") {
  setenv("SOCIALSYNC_TEST_KEPT", "kept", 1);
  setenv("SOCIALSYNC_TEST_REPLACED", "old", 1);
  const Finished finished = run(
      {.arguments = {"sh", "-c", "echo $SOCIALSYNC_TEST_KEPT $SOCIALSYNC_TEST_REPLACED $SOCIALSYNC_TEST_NEW"},
       .environment = {{"SOCIALSYNC_TEST_REPLACED", "new"}, {"SOCIALSYNC_TEST_NEW", "added"}}});
  unsetenv("SOCIALSYNC_TEST_KEPT");
  unsetenv("SOCIALSYNC_TEST_REPLACED");
  CHECK(finished.output == "kept new added\n");
}

TEST_CASE("process run: a program that is not there, and one that is killed") {
  const Finished missing = run({.arguments = {"/nonexistent/program"}});
  CHECK(missing.exit_code == 127);
  CHECK(missing.output == "cannot start the program\n");
  CHECK(shell("kill -TERM $$").exit_code == 128 + SIGTERM);
}

TEST_CASE("process child: runs beside us until it is stopped") {
  const Folder folder;
  const Command command{
      .arguments = {"sh", "-c", "trap 'echo stopped; exit' TERM; echo up; while :; do sleep 0.05; done"}};
  Child child(command, folder.log());
  CHECK(folder.logs("up\n"));
  CHECK(child.running());
  child.stop(SIGTERM, 5s);
  CHECK_FALSE(child.running());
  CHECK(folder.logged() == "up\nstopped\n");
  child.stop(SIGTERM, 5s);
}

TEST_CASE("process child: one that will not stop is killed") {
  const Folder folder;
  Child child({.arguments = {"sh", "-c", "trap '' TERM INT; echo deaf; while :; do sleep 0.05; done"}},
              folder.log());
  REQUIRE(folder.logs("deaf"));
  const auto begin = std::chrono::steady_clock::now();
  child.stop(SIGTERM, 0s);
  CHECK_FALSE(child.running());
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("process child: its end is noticed, and its log is appended to") {
  const Folder folder;
  for (const std::string word : {"one", "two"}) {
    Child child({.arguments = {"echo", word}}, folder.log());
    CHECK(folder.logs(word));
    for (int i = 0; i < 500 && child.running(); ++i) std::this_thread::sleep_for(10ms);
    CHECK_FALSE(child.running());
  }
  CHECK(folder.logged() == "one\ntwo\n");
}

TEST_CASE("process child: is in a group of its own") {
  const Folder folder;
  // In /proc/PID/stat the fifth word is the process group.
  Child child(
      {.arguments = {"sh", "-c", "read -r _ _ _ _ group _ < /proc/$$/stat; test $group = $$ && echo own"}},
      folder.log());
  CHECK(folder.logs("own\n"));
}

}  // namespace
}  // namespace socialsync::process
