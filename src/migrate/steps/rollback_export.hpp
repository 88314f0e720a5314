// Exports the data that a rollback removes to CSV files with mode 0600.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "migrate/progress.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

struct ExportedTable {
  std::string table;
  std::string file;
  std::uint64_t bytes = 0;
};

class RollbackExport {
 public:
  // The session must hold the definitions of sql/rollback. Creates the folder.
  RollbackExport(pg::Session& session, std::filesystem::path folder, ShowProgress show);

  // Writes all data from one snapshot. Throws pg::Error; Failure (refused).
  void write_all();
  // Writes rows that were added after write_all(); the caller holds locks that exclude writers. Returns false
  // when the changed accounts could not be found within half a second, or the statement was cancelled.
  bool write_late();

  const std::vector<ExportedTable>& tables() const { return tables_; }

 private:
  std::filesystem::path file_of(const std::string& table) const;
  void write(const std::string& table, const std::string& copy);
  void write_each(const pg::ResultSet& copies);

  pg::Session& session_;
  std::filesystem::path folder_;
  ShowProgress show_;
  std::vector<ExportedTable> tables_;
  std::string oldest_begin_;        // transactions that write_all() did not see began after this time
  std::string oldest_transaction_;  // write_all() saw all transactions that ended before this one
};

}  // namespace socialsync::migrate
