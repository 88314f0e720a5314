// PostgreSQL's client programs: which installed one to use, and running psql, pg_dump and pg_restore.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/progress.hpp"
#include "pg/options.hpp"
#include "process/child.hpp"

namespace socialsync::migrate {

// Returns the path of the client program `name` (pg_dump, pg_restore) with the lowest major version that is
// not below the server's (server_version as 150018). pg_dump refuses a newer server, and a much newer pg_dump
// writes statements that the server does not know. Throws Failure (refused) that names the package to
// install.
std::string find_client_program(const std::string& name, int server_version);

// Returns "15.20", as `path --version` prints it.
std::string version_of_program(const std::string& path);

// Returns the major version in the output of --version: 15 for
// "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", 0 for output without a version.
int major_version_in(const std::string& printed);

// A file in /tmp with mode 0600, deleted by the destructor. Throws std::runtime_error when it cannot be
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

// A running pg_dump or pg_restore; the destructor ends it. The password reaches it in a libpq service file,
// not in its arguments.
class ClientRun {
 public:
  // The value for pg_restore's --dbname: the database of `options`.
  static constexpr const char* database = "service=socialsync";

  ClientRun(std::vector<std::string> arguments, const pg::ConnectionOptions& options);

  // Shows `progress` until the program ends. Throws as attend() does, and Failure with the program's output
  // unless it succeeded: refused for a missing privilege, else no_backup.
  void finish(const Attention& attention, const std::function<Progress()>& progress);

 private:
  std::string program_;
  TemporaryFile printed_;
  TemporaryFile service_;
  process::Child child_;
};

// Returns the output of pg_dump or pg_restore without DETAIL and CONTEXT lines, which quote rows.
std::string without_rows(const std::string& printed);

// psql stopped at an error. what() is its output.
class PsqlFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs the SQL text with psql on the database of `options` and returns psql's output. The password reaches
// psql in a libpq service file, deleted before this returns. Throws PsqlFailed.
std::string run_psql(const pg::ConnectionOptions& options, std::string_view sql);

}  // namespace socialsync::migrate
