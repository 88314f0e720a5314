// What is in a database's tables, in a form that can be compared with that of another.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "pg/session.hpp"

namespace socialsync::migrate {

struct StoredTable {
  std::string name;     // quoted where needed: public.users
  std::string columns;  // quoted, by name: their order may differ between a table and its copy
  std::uint64_t bytes = 0;
  bool is_readable = false;      // by this role
  bool has_hidden_rows = false;  // row-level security applies to this role
};

struct TableDigest {
  std::string name;
  std::uint64_t rows = 0;
  std::string hash;  // of all rows, in whatever order

  bool operator==(const TableDigest&) const = default;
};

// Sets all that a value's text depends on, takes away time limits but that for locks, and uses one processor.
void pin_settings(pg::Session& session);

// Ordinary tables and partitions, by name: all that hold rows of their own and are not the server's or an
// extension's.
std::vector<StoredTable> list_tables(pg::Session& session);

// What the copy has that differs, a line for each table; empty when all is the same. Both by name.
std::string difference(const std::vector<TableDigest>& original, const std::vector<TableDigest>& copy);

// Counts and hashes tables one after another, in a thread of its own. Nobody else uses the session meanwhile.
class DigestRun {
 public:
  DigestRun(pg::Session& session, const std::vector<StoredTable>& tables);
  // Cancels what runs.
  ~DigestRun();
  DigestRun(const DigestRun&) = delete;
  DigestRun& operator=(const DigestRun&) = delete;

  bool running() const;
  std::size_t done() const { return done_; }
  // Waits; throws what went wrong.
  std::vector<TableDigest> take() { return digests_.get(); }

 private:
  std::vector<TableDigest> digest_all(const std::vector<StoredTable>& tables);

  pg::Session& session_;
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> is_unwanted_{false};
  std::future<std::vector<TableDigest>> digests_;
};

}  // namespace socialsync::migrate
