#include "migrate/sql_files.hpp"

#include <cassert>

namespace socialsync::embedded {
std::string_view embedded_sql(std::string_view file_name);
}

namespace socialsync::migrate {
namespace {

std::string_view definitions_of(std::string_view file) {
  const std::size_t begin = file.find("-- @definitions");
  const std::size_t end = file.find("-- @run");
  assert(begin != std::string_view::npos && end != std::string_view::npos);
  return file.substr(begin, end - begin);
}

}  // namespace

std::string_view schema_updates() { return embedded::embedded_sql("schema_updates_webhooks.sql"); }
std::string_view schema_rollback() { return embedded::embedded_sql("schema_rollback_webhooks.sql"); }
std::string_view gateway_role() { return embedded::embedded_sql("gateway_role.sql"); }
std::string_view update_definitions() { return definitions_of(schema_updates()); }
std::string_view rollback_definitions() { return definitions_of(schema_rollback()); }

}  // namespace socialsync::migrate
