#include "pg/error.hpp"

#include <doctest/doctest.h>

namespace socialsync::pg {
namespace {

TEST_CASE("pg error: what each SQLSTATE means for us") {
  struct Case {
    std::string_view sqlstate;
    ErrorKind kind;
  };
  constexpr Case cases[] = {
      {"", ErrorKind::connection},       // libpq's own: the socket broke
      {"08006", ErrorKind::connection},  // connection failure
      {"57P01", ErrorKind::connection},  // terminated by an administrator
      {"57P02", ErrorKind::connection},  // crash shutdown
      {"57P03", ErrorKind::connection},  // starting up
      {"57014", ErrorKind::transient},   // query cancelled
      {"40001", ErrorKind::transient},   // serialization failure
      {"40P01", ErrorKind::transient},   // deadlock
      {"53100", ErrorKind::transient},   // disk full
      {"53300", ErrorKind::transient},   // too many connections
      {"55P03", ErrorKind::transient},   // lock not available
      {"25006", ErrorKind::transient},   // read-only transaction
      {"58030", ErrorKind::transient},   // input/output error
      {"22001", ErrorKind::data},        // string too long
      {"22P05", ErrorKind::data},        // untranslatable character
      {"23503", ErrorKind::data},        // foreign key
      {"23514", ErrorKind::data},        // check
      {"54000", ErrorKind::data},        // program limit exceeded
      {"42P01", ErrorKind::other},       // no such table
      {"42501", ErrorKind::other},       // no right
      {"25P02", ErrorKind::other},       // in a failed transaction
      {"55000", ErrorKind::other},       // object not in the state it needs
      {"57000", ErrorKind::other},       // operator intervention, unspecific
      {"XX000", ErrorKind::other},       // internal
  };
  for (const Case& expected : cases) {
    CHECK_MESSAGE(classify(expected.sqlstate) == expected.kind, expected.sqlstate);
    CHECK(Error("text", std::string(expected.sqlstate)).kind() == expected.kind);
  }
}

TEST_CASE("pg error: keeps its message and its SQLSTATE") {
  const Error error("division by zero", "22012");
  CHECK(std::string_view(error.what()) == "division by zero");
  CHECK(error.sqlstate() == "22012");
}

}  // namespace
}  // namespace socialsync::pg
