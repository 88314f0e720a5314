// Counts and hashes of a database's tables, comparable with those of its copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "migrate/progress.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

struct StoredTable {
  std::string name;     // quoted where needed: public.users
  std::string columns;  // quoted, sorted by name: a table and its copy may order them differently
  std::uint64_t bytes = 0;
  bool is_readable = false;      // by this role
  bool has_hidden_rows = false;  // row-level security applies to this role
};

struct TableDigest {
  std::string name;
  std::uint64_t rows = 0;
  std::string hash;  // a hash of all rows, independent of their order

  bool operator==(const TableDigest&) const = default;
};

// Pins all settings that the text of a value depends on, removes time limits other than lock_timeout, and
// disables parallel queries.
void pin_settings(pg::Session& session);

// Returns the tables and partitions that hold rows, by name; none of the server's or an extension's.
std::vector<StoredTable> list_tables(pg::Session& session);

// Returns one line for each table that differs; empty when all are equal. Both lists are sorted by name.
std::string difference(const std::vector<TableDigest>& original, const std::vector<TableDigest>& copy);

// Counts and hashes tables in a thread of its own, which uses the session alone.
class DigestRun {
 public:
  DigestRun(pg::Session& session, const std::vector<StoredTable>& tables);
  // Cancels the running statement.
  ~DigestRun();
  DigestRun(const DigestRun&) = delete;
  DigestRun& operator=(const DigestRun&) = delete;

  std::size_t done() const { return done_; }
  // Shows progress until the thread ends. Throws as attend() does, and the thread's exception.
  std::vector<TableDigest> finish(const Attention& attention, const char* what);

 private:
  bool running() const;
  std::vector<TableDigest> digest_all(const std::vector<StoredTable>& tables);

  pg::Session& session_;
  std::size_t total_;
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> cancelled_{false};
  std::future<std::vector<TableDigest>> digests_;
};

}  // namespace socialsync::migrate
