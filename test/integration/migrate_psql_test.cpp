#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "migrate/client_programs.hpp"
#include "migrate/sql_files.hpp"
#include "support/database.hpp"

namespace socialsync::migrate {
namespace {

const std::string password = "hunter2 'quoted' \\ #";

pg::ConnectionOptions options_with_password() {
  pg::ConnectionOptions options = test::database_options();
  options.emplace_back("password", password);
  return options;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST_CASE("psql: runs a script and returns its output") {
  CHECK(run_psql(test::database_options(), "\\pset tuples_only\n\\pset format unaligned\nSELECT 6 * 7;\n")
            .ends_with("42\n"));
  CHECK(run_psql(test::database_options(), "") == "");
}

TEST_CASE("psql: stops at the first error, and reports it") {
  try {
    run_psql(test::database_options(), "SELECT 1;\nSELECT 1 / 0;\n\\echo went on\n");
    FAIL("there was no error");
  } catch (const PsqlFailed& error) {
    const std::string said = error.what();
    CHECK(said.find("division by zero") != std::string::npos);
    CHECK(said.find("went on") == std::string::npos);
  }
}

TEST_CASE("psql: an unknown database is an error") {
  CHECK_THROWS_AS(run_psql({{"host", "/nonexistent"}, {"dbname", "d"}}, "SELECT 1"), PsqlFailed);
}

TEST_CASE("psql: the password is in a file of mode 0600, not in an argument list") {
  const std::string arguments =
      run_psql(options_with_password(), "\\! tr '\\\\000' ' ' < /proc/$PPID/cmdline\n");
  CHECK(arguments.find("psql") != std::string::npos);
  CHECK(arguments.find("hunter2") == std::string::npos);
  CHECK(first_line(run_psql(options_with_password(), "\\! stat -c %a $PGSERVICEFILE\n")) == "600");
  CHECK(run_psql(options_with_password(), "\\! cat $PGSERVICEFILE\n").find("password=" + password) !=
        std::string::npos);
}

TEST_CASE("psql: the service file is deleted, after an error too") {
  const std::string file = first_line(run_psql(test::database_options(), "\\! echo $PGSERVICEFILE\n"));
  CHECK(file.starts_with("/tmp/"));
  CHECK_FALSE(std::filesystem::exists(file));
  std::string said;
  try {
    run_psql(test::database_options(), "\\! echo $PGSERVICEFILE\nSELECT 1 / 0;\n");
  } catch (const PsqlFailed& error) {
    said = first_line(error.what());
  }
  CHECK(said.starts_with("/tmp/"));
  CHECK_FALSE(std::filesystem::exists(said));
}

TEST_CASE("psql: the schema files are compiled in") {
  CHECK(schema_updates().find("CREATE TABLE public.webhook_logs") != std::string_view::npos);
  CHECK(schema_rollback().find("webhook_logs") != std::string_view::npos);
  CHECK(schema_updates() != schema_rollback());
}

}  // namespace
}  // namespace socialsync::migrate
