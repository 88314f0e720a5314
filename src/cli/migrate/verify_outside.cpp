#include "cli/migrate/verify_outside.hpp"

#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/http_client.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Finding;
using migrate::State;

constexpr long http_ok = 200;
constexpr const char* select_this_database =
    "SELECT datname, oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object manifest_in(const std::string& directory) {
  std::ifstream file(directory + "/manifest.json");
  if (!file) throw std::runtime_error("it has no manifest.json that can be read");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json::value value = json::parse(text);
  if (!value.is_object()) throw std::runtime_error("its manifest.json is not one");
  return value.as_object();
}

// What the manifest says for it. Throws std::exception where that is not enough.
std::string praise_of(const json::object& manifest, const pg::ResultSet& here) {
  const std::string of_what = text_of(manifest, "database");
  if (of_what != here.text(0, 0) || text_of(manifest, "database_oid") != here.text(0, 1))
    throw std::runtime_error(fmt::format("it is of another database, {}", of_what));
  if (text_of(manifest, "verified") != "restored")
    throw std::runtime_error("it was not restored and compared, so nobody knows whether it can be");
  return fmt::format("of {}, restored and compared", text_of(manifest, "started_at"));
}

}  // namespace

Finding check_backup(pg::Session& session, const std::string& directory) {
  Finding finding{
      .id = "V24", .title = "backup before the migration", .state = State::skip, .found = {}, .todo = {}};
  if (directory.empty()) {
    finding.found = "not asked for: a backup is not in the database";
    finding.todo = "say --backup DIR, with what socialsync migrate backup made";
    return finding;
  }
  const pg::ResultSet here = session.query(select_this_database);
  try {
    finding.found = praise_of(manifest_in(directory), here);
    finding.state = State::pass;
  } catch (const std::exception& error) {
    finding.found = fmt::format("{}: {}", directory, error.what());
    finding.state = State::fail;
    finding.todo = "socialsync migrate backup, before anything else is changed";
  }
  return finding;
}

Finding check_gateway(const std::string& address) {
  Finding finding{.id = "V25", .title = "gateway is ready", .state = State::skip, .found = {}, .todo = {}};
  if (address.empty()) {
    finding.found = "not asked for";
    finding.todo = "say --gateway http://HOST:PORT, of a gateway on this database";
    return finding;
  }
  try {
    const long status = HttpClient(address + "/readyz").get();
    finding.state = status == http_ok ? State::pass : State::fail;
    finding.found = fmt::format("{}/readyz answers {}", address, status);
  } catch (const std::runtime_error& error) {
    finding.state = State::fail;
    finding.found = fmt::format("{}: {}", address, error.what());
  }
  if (finding.state == State::fail) finding.todo = "socialsync serve, and see its log";
  return finding;
}

}  // namespace socialsync::cli::migration
