// manifest.json: the contents of a backup, and how it was verified.
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

// Identifies a database independently of host names and addresses.
struct DatabaseIdentity {
  std::string name;
  std::string oid;
  std::string system_identifier;  // the cluster's, equal on its standbys; empty: privilege missing

  // True when all known parts are equal.
  bool matches(const DatabaseIdentity& other) const;
};

DatabaseIdentity identify(pg::Session& session);

enum class Verified {
  no,
  read,      // pg_restore read the dump without restoring it
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
  std::string host{};  // as configured; empty: the local socket
  std::string port{};
  std::string server_version{};
  std::string pg_dump_version{};
  std::time_t started_at = 0;  // the time of the snapshot
  std::time_t finished_at = 0;
  bool schema_only = false;
  Verified verified = Verified::no;
  std::string verified_note{};        // the reason for not restoring it
  std::vector<TableDigest> tables{};  // empty for schema_only
  std::vector<BackupFile> files{};

  std::uint64_t bytes() const;
  std::uint64_t rows() const;
};

const char* name_of(Verified verified);
// "2026-03-01T12:00:00Z"
std::string utc_text(std::time_t time);

std::string to_json(const BackupManifest& manifest);
// Throws std::exception for text that is not a manifest.
BackupManifest manifest_of(const std::string& json);

// Reads and hashes the file; calls `tick` with the size of each piece. Throws std::runtime_error when it
// cannot be read.
BackupFile describe_file(const std::filesystem::path& backup, const std::string& name,
                         const std::function<void(std::uint64_t bytes)>& tick);

}  // namespace socialsync::migrate
