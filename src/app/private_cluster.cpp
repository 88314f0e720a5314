#include "app/private_cluster.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.hpp"
#include "process/account.hpp"

namespace socialsync::app {
namespace {

namespace files = std::filesystem;

constexpr const char* role = "socialsync";
constexpr const char* database = "socialsync";
constexpr const char* installations = "/usr/lib/postgresql";  // Debian's: one folder per major version
constexpr std::chrono::milliseconds poll{100};
constexpr std::chrono::seconds start_limit{60};
constexpr std::chrono::seconds stop_limit{20};
constexpr std::chrono::milliseconds restart_pause{500};

std::string cluster_in(const std::string& directory) { return directory + "/postgresql"; }
std::string socket_in(const std::string& directory) { return directory + "/run"; }

void require_success(const process::Finished& finished, const char* what) {
  if (finished.exit_code != 0) throw std::runtime_error(fmt::format("{} failed:\n{}", what, finished.output));
}

// Returns the major version of the data; 0 if there are none.
int version_of(const std::string& cluster) {
  std::ifstream file(cluster + "/PG_VERSION");
  int version = 0;
  file >> version;
  return version;
}

// Returns the folder of the server's programs: those of the data's version, else the newest.
std::string find_programs(int version) {
  int newest = 0;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(installations, error)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (files::exists(entry.path() / "bin" / "initdb")) newest = std::max(newest, found);
  }
  const int wanted = version > 0 ? version : newest;
  const std::string programs = fmt::format("{}/{}/bin", installations, wanted);
  if (wanted > 0 && files::exists(programs + "/initdb")) return programs;
  throw std::runtime_error(
      version > 0
          ? fmt::format("the data are of PostgreSQL {}, which is not installed", version)
          : "PostgreSQL's server is not installed: apt-get install postgresql-15, or set DATABASE_URL");
}

// The process id in the file may belong to another process now.
bool is_server_of(pid_t pid, const std::string& cluster) {
  std::error_code error;
  const files::path folder = files::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
  return error || files::equivalent(folder, cluster, error);
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::trunc);
  file << content;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> PrivateCluster::options(const std::string& directory) {
  return {{"host", socket_in(directory)}, {"dbname", database}, {"user", role}};
}

std::string PrivateCluster::psql_command(const std::string& directory) {
  return fmt::format("psql -h {} -U {} {}", socket_in(directory), role, database);
}

PrivateCluster::PrivateCluster(std::string directory) : directory_(std::move(directory)) {
  lock();
  const std::string cluster = cluster_in(directory_);
  program_directory_ = find_programs(version_of(cluster));
  if (version_of(cluster) == 0) initialize();
  write_access_rules();
  wait_for_predecessor();
  start();
  wait_until_ready();
  create_database();
  watcher_ = std::jthread([this](std::stop_token stopping) { watch(std::move(stopping)); });
}

PrivateCluster::~PrivateCluster() {
  watcher_ = std::jthread();  // requests its stop and joins it
  if (server_) server_->stop(SIGINT, stop_limit);
  if (lock_ >= 0) close(lock_);
}

std::string PrivateCluster::program(const std::string& name) const { return program_directory_ + "/" + name; }

void PrivateCluster::lock() {
  const std::string path = directory_ + "/lock";
  lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0 || flock(lock_, LOCK_EX | LOCK_NB) != 0)
    throw std::runtime_error(directory_ + " is in use by another socialsync up");
}

void PrivateCluster::initialize() {
  // initdb refuses the folder of an earlier run that was killed.
  const std::string cluster = cluster_in(directory_);
  const std::string unfinished = cluster + ".unfinished";
  files::remove_all(unfinished);
  log::info("creating the private database", {{"directory", cluster}});
  require_success(process::run({.arguments = {program("initdb"), "-D", unfinished, "-U", role, "-E", "UTF8",
                                              "--locale=C.UTF-8", "--auth=peer", "--no-instructions"}}),
                  "initdb");
  files::rename(unfinished, cluster);
}

void PrivateCluster::write_access_rules() const {
  const std::string cluster = cluster_in(directory_);
  write_file(cluster + "/pg_hba.conf",
             "# Rewritten at every start: the socket's owner, and root, are the role.\n"
             "local all all peer map=owner\n");
  std::string map;
  for (const std::string& user : std::set<std::string>{"root", process::user_name()})
    map += fmt::format("owner \"{}\" {}\n", user, role);
  write_file(cluster + "/pg_ident.conf", map);
  files::create_directories(socket_in(directory_));
  files::permissions(socket_in(directory_), files::perms::owner_all);
}

// If the last gateway was killed, its server is still shutting down: the kernel has signalled it.
void PrivateCluster::wait_for_predecessor() const {
  const auto deadline = std::chrono::steady_clock::now() + stop_limit;
  for (;;) {
    std::ifstream file(cluster_in(directory_) + "/postmaster.pid");
    pid_t pid = 0;
    file >> pid;
    if (pid <= 0 || kill(pid, 0) != 0 || !is_server_of(pid, cluster_in(directory_))) return;
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(fmt::format("process {} still runs the database in {}", pid, directory_));
    std::this_thread::sleep_for(poll);
  }
}

void PrivateCluster::start() {
  const std::string log_path = directory_ + "/postgresql.log";
  server_ = std::make_unique<process::Child>(
      process::Command{.arguments = {program("postgres"), "-D", cluster_in(directory_), "-k",
                                     socket_in(directory_), "-c", "listen_addresses=", "-c",
                                     "unix_socket_permissions=0700", "-c", "log_destination=stderr"}},
      log_path);
}

void PrivateCluster::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  const process::Command question{
      .arguments = {program("pg_isready"), "-q", "-h", socket_in(directory_), "-d", "postgres"}};
  while (process::run(question).exit_code != 0) {
    if (!server_->running() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the private database did not start: see " + directory_ + "/postgresql.log");
    std::this_thread::sleep_for(poll);
  }
}

void PrivateCluster::create_database() const {
  const auto psql = [&](const char* statement) {
    return process::run({.arguments = {program("psql"), "-X", "-h", socket_in(directory_), "-U", role, "-d",
                                       "postgres", "-Atc", statement}});
  };
  const process::Finished found = psql("SELECT count(*) FROM pg_database WHERE datname = 'socialsync'");
  require_success(found, "looking for the database");
  if (found.output.starts_with('0'))
    require_success(psql("CREATE DATABASE socialsync"), "creating the database");
  // The default search_path would put the internal schema `socialsync` first for the role of that name.
  require_success(psql("ALTER DATABASE socialsync SET search_path = public"), "setting up the database");
}

// This thread starts the next servers: the kernel stops a child when the thread that started it ends.
void PrivateCluster::watch(std::stop_token stopping) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock held(mutex);
  while (!changed.wait_for(held, stopping, restart_pause, [] { return false; }) &&
         !stopping.stop_requested()) {
    if (server_->running()) continue;
    log::warning("private database ended, restarting it");
    start();
  }
}

}  // namespace socialsync::app
