#include "pg/options.hpp"

#include <doctest/doctest.h>

#include "pg/error.hpp"

namespace socialsync::pg {
namespace {

std::string value_of(const ConnectionOptions& options, std::string_view keyword) {
  std::string value = "(none)";
  for (const auto& [name, text] : options) {
    if (name == keyword) value = text;
  }
  return value;
}

TEST_CASE("pg options: single keywords stay as they are") {
  const ConnectionOptions options{{"host", "h"}, {"dbname", "shop"}, {"password", "a=b"}};
  CHECK(expanded(options) == options);
  CHECK(expanded({}).empty());
}

TEST_CASE("pg options: a URL is taken apart") {
  for (const std::string scheme : {"postgres", "postgresql"}) {
    const auto options = expanded({{"dbname", scheme + "://me:p%40ss@db.example:5433/shop?sslmode=require"}});
    CHECK(value_of(options, "host") == "db.example");
    CHECK(value_of(options, "port") == "5433");
    CHECK(value_of(options, "user") == "me");
    CHECK(value_of(options, "password") == "p@ss");
    CHECK(value_of(options, "dbname") == "shop");
    CHECK(value_of(options, "sslmode") == "require");
  }
}

TEST_CASE("pg options: so is a connection string, and what stands after it wins") {
  const auto options = expanded({{"dbname", "host=/tmp dbname=shop user='a b'"}, {"user", "other"}});
  CHECK(value_of(options, "host") == "/tmp");
  CHECK(value_of(options, "dbname") == "shop");
  CHECK(value_of(options, "user") == "other");
}

TEST_CASE("pg options: a URL that cannot be read is not repeated") {
  try {
    expanded({{"dbname", "postgres://me:hunter2@[h/shop"}});
    FAIL("was read");
  } catch (const Error& error) {
    CHECK(std::string_view(error.what()).find("hunter2") == std::string_view::npos);
  }
}

}  // namespace
}  // namespace socialsync::pg
