#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "migrate/backup/digest.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Which database it is, whatever name or address one reaches it by.
struct DatabaseIdentity {
  std::string name;
  std::string oid;
  std::string system_identifier;  // of the cluster, kept by its standbys; empty: we may not ask

  // The one and the other may be the same: what both know is equal.
  bool matches(const DatabaseIdentity& other) const;
};

DatabaseIdentity identify(pg::Session& session);

// manifest.json: what a backup holds, and how well that was checked.
enum class Verified {
  no,
  read,      // every byte was read back, but into nothing
  restored,  // into a database, and all tables compared
};

struct BackupFile {
  std::string name;  // within the backup: dump/toc.dat
  std::uint64_t bytes = 0;
  std::string sha256;

  bool operator==(const BackupFile&) const = default;
};

struct BackupManifest {
  DatabaseIdentity database{};
  std::string host{};  // as the connection was asked for; empty: the local socket
  std::string port{};
  std::string server_version{};
  std::string pg_dump_version{};
  std::time_t started_at = 0;  // rows are as of then
  std::time_t finished_at = 0;
  bool schema_only = false;
  Verified verified = Verified::no;
  std::string verified_note{};        // why it was not restored
  std::vector<TableDigest> tables{};  // none of schema_only
  std::vector<BackupFile> files{};

  std::uint64_t bytes() const;
  std::uint64_t rows() const;
};

const char* name_of(Verified verified);
// "2026-03-01T12:00:00Z"
std::string utc_text(std::time_t time);

std::string to_json(const BackupManifest& manifest);
// Throws std::exception when it is not one.
BackupManifest manifest_of(const std::string& json);

// The file as it is now; `tick` is called for every piece that was read. Throws std::runtime_error when it
// cannot be read.
BackupFile describe_file(const std::filesystem::path& backup, const std::string& name,
                         const std::function<void(std::uint64_t bytes)>& tick);

}  // namespace socialsync::migrate
