#include "migrate/backup/manifest.hpp"

#include <fstream>
#include <stdexcept>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

// Managed databases revoke this privilege.
std::string system_identifier(pg::Session& session) {
  try {
    return std::string(session.query("SELECT system_identifier FROM pg_control_system()").text(0, 0));
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::insufficient_privilege) throw;
    return "";
  }
}

namespace json = boost::json;

constexpr Verified all_verified[] = {Verified::no, Verified::read, Verified::restored};

std::time_t time_of(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (!end || *end != '\0') throw std::runtime_error("a time is invalid");
  return timegm(&parts);
}

Verified verified_of(const std::string& name) {
  for (const Verified verified : all_verified)
    if (name == name_of(verified)) return verified;
  throw std::runtime_error("verified has an unknown value");
}

std::string text(const json::object& object, const char* key) {
  const json::value& value = object.at(key);
  return value.is_null() ? "" : json::value_to<std::string>(value);
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::array tables_of(const BackupManifest& manifest) {
  json::array tables;
  for (const TableDigest& table : manifest.tables)
    tables.push_back(json::object{{"name", table.name}, {"rows", table.rows}, {"hash", table.hash}});
  return tables;
}

json::array files_of(const BackupManifest& manifest) {
  json::array files;
  for (const BackupFile& file : manifest.files)
    files.push_back(json::object{{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return files;
}

TableDigest table_of(const json::object& table) {
  return {.name = text(table, "name"),
          .rows = table.at("rows").to_number<std::uint64_t>(),
          .hash = text(table, "hash")};
}

BackupFile file_of(const json::object& file) {
  return {.name = text(file, "name"),
          .bytes = file.at("bytes").to_number<std::uint64_t>(),
          .sha256 = text(file, "sha256")};
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

std::uint64_t BackupManifest::bytes() const {
  std::uint64_t sum = 0;
  for (const BackupFile& file : files) sum += file.bytes;
  return sum;
}

std::uint64_t BackupManifest::rows() const {
  std::uint64_t sum = 0;
  for (const TableDigest& table : tables) sum += table.rows;
  return sum;
}

const char* name_of(Verified verified) {
  switch (verified) {
    case Verified::no: return "no";
    case Verified::read: return "read";
    case Verified::restored: return "restored";
  }
  return "no";
}

std::string utc_text(std::time_t time) { return fmt::format("{:%FT%TZ}", fmt::gmtime(time)); }

std::string to_json(const BackupManifest& manifest) {
  const json::object object{{"v", 1},
                            {"database", manifest.database.name},
                            {"database_oid", manifest.database.oid},
                            {"system_identifier", text_or_null(manifest.database.system_identifier)},
                            {"host", text_or_null(manifest.host)},
                            {"port", text_or_null(manifest.port)},
                            {"server_version", manifest.server_version},
                            {"pg_dump_version", manifest.pg_dump_version},
                            {"started_at", utc_text(manifest.started_at)},
                            {"finished_at", utc_text(manifest.finished_at)},
                            {"schema_only", manifest.schema_only},
                            {"verified", name_of(manifest.verified)},
                            {"verified_note", text_or_null(manifest.verified_note)},
                            {"bytes", manifest.bytes()},
                            {"tables", tables_of(manifest)},
                            {"files", files_of(manifest)}};
  return json::serialize(object);
}

BackupManifest manifest_of(const std::string& text_of_json) {
  const json::value value = json::parse(text_of_json);
  const json::object& object = value.as_object();
  if (object.at("v") != 1) throw std::runtime_error("its version is unknown");
  BackupManifest manifest{.database = {.name = text(object, "database"),
                                       .oid = text(object, "database_oid"),
                                       .system_identifier = text(object, "system_identifier")},
                          .host = text(object, "host"),
                          .port = text(object, "port"),
                          .server_version = text(object, "server_version"),
                          .pg_dump_version = text(object, "pg_dump_version"),
                          .started_at = time_of(text(object, "started_at")),
                          .finished_at = time_of(text(object, "finished_at")),
                          .schema_only = object.at("schema_only").as_bool(),
                          .verified = verified_of(text(object, "verified")),
                          .verified_note = text(object, "verified_note")};
  for (const json::value& table : object.at("tables").as_array())
    manifest.tables.push_back(table_of(table.as_object()));
  for (const json::value& file : object.at("files").as_array())
    manifest.files.push_back(file_of(file.as_object()));
  return manifest;
}

BackupFile describe_file(const std::filesystem::path& backup, const std::string& name,
                         const std::function<void(std::uint64_t bytes)>& tick) {
  std::ifstream file(backup / name, std::ios::binary);
  if (!file) throw std::runtime_error(name + " cannot be read");
  crypto::Sha256 digest;
  BackupFile described;
  described.name = name;
  std::string piece(1 << 20, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    const auto count = static_cast<std::size_t>(file.gcount());
    digest.add({piece.data(), count});
    described.bytes += count;
    tick(count);
  }
  if (file.bad()) throw std::runtime_error(name + " cannot be read");
  append_hex(described.sha256, digest.finish());
  return described;
}

}  // namespace socialsync::migrate
