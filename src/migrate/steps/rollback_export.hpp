// What a rollback would lose, written to CSV files that only their owner can read.
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
  // The session knows the definitions of sql/rollback. The folder is made when it is not there.
  RollbackExport(pg::Session& session, std::filesystem::path folder, ShowProgress show);

  // All of it, in one snapshot, so that the files agree with each other. Throws pg::Error; Failure (refused).
  void write_all();
  // Under the locks that keep everybody out: what came since. False when there are too many accounts to find
  // those that changed within half a second, or when somebody cancelled it.
  bool write_late();

  const std::vector<ExportedTable>& tables() const { return tables_; }

 private:
  std::filesystem::path file_of(const std::string& table) const;
  void write(const std::string& table, const std::string& copy);
  void write_those(const pg::ResultSet& copies);

  pg::Session& session_;
  std::filesystem::path folder_;
  ShowProgress show_;
  std::vector<ExportedTable> tables_;
  std::string oldest_begin_;        // a time: transactions that write_all() did not see began after it
  std::string oldest_transaction_;  // it saw all that ended before this one
};

}  // namespace socialsync::migrate
