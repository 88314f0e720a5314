#include "migrate/backup/identity.hpp"

namespace socialsync::migrate {
namespace {

// Providers of managed databases take this right away.
std::string system_identifier(pg::Session& session) {
  try {
    return std::string(session.query("SELECT system_identifier FROM pg_control_system()").text(0, 0));
  } catch (const pg::Error& error) {
    constexpr std::string_view insufficient_privilege = "42501";
    if (error.sqlstate() != insufficient_privilege) throw;
    return "";
  }
}

}  // namespace

bool DatabaseIdentity::matches(const DatabaseIdentity& other) const {
  const bool same_cluster = system_identifier.empty() || other.system_identifier.empty() ||
                            system_identifier == other.system_identifier;
  return same_cluster && oid == other.oid && name == other.name;
}

DatabaseIdentity identify(pg::Session& session) {
  const pg::ResultSet found =
      session.query("SELECT datname, oid FROM pg_database WHERE datname = current_database()");
  return {.name = std::string(found.text(0, 0)),
          .oid = std::string(found.text(0, 1)),
          .system_identifier = system_identifier(session)};
}

}  // namespace socialsync::migrate
