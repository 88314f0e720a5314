#include "migrate/client_programs.hpp"

#include <doctest/doctest.h>

#include "base/failure.hpp"

namespace socialsync::migrate {
namespace {

TEST_CASE("client programs: the major version is parsed from the output of --version") {
  CHECK(major_version_in("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n") == 15);
  CHECK(major_version_in("pg_restore (PostgreSQL) 18beta1\n") == 18);
  CHECK(major_version_in("cannot start the program\n") == 0);
}

TEST_CASE("client programs: a newer client serves an older server") {
  CHECK(find_client_program("pg_dump", 140'000).ends_with("pg_dump"));
}

TEST_CASE("client programs: no installed version is new enough") {
  try {
    find_client_program("pg_dump", 990'004);
    FAIL("there was no error");
  } catch (const Failure& failure) {
    CHECK(failure.code() == Exit::refused);
    CHECK(std::string(failure.what()).find("postgresql-client-99") != std::string::npos);
  }
}

TEST_CASE("client programs: rows that an error quotes are left out") {
  CHECK(without_rows("pg_restore: error: COPY failed for table \"t\": ERROR:  refused\n"
                     "DETAIL:  Failing row contains (secret,\nmore).\n"
                     "CONTEXT:  COPY t, line 1: \"secret\"\n"
                     "pg_restore: error: a worker died\n") ==
        "pg_restore: error: COPY failed for table \"t\": ERROR:  refused\npg_restore: error: a worker died");
}

}  // namespace
}  // namespace socialsync::migrate
