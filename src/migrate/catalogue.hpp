// The migration's steps, privileges and conflicts in one database, as sql/updates finds them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

struct Step {
  std::string id;  // "columns", "index.page_id": stable, for scripts
  std::string title;
  std::string lock;      // its strongest lock on a table of the application; empty: none
  std::string tables;    // the locked tables, as a PostgreSQL array
  bool alone = false;    // cannot share a transaction with another statement
  bool present = false;  // already done
  std::string precheck;  // SQL that raises data_blocks_sqlstate when rows block the step; may be empty
  std::string statements;
  std::string note;
  std::string part;  // the function of sql/updates that lists it
};

struct BlockingRows {
  // lacking (no routing key), empty (empty text as the key), duplicate (two accounts with one key), orphan
  // (no user)
  std::string kind;
  std::string found;  // names the accounts: "phone_number_id 4711 is the same for accounts …"
};

// SQLSTATE of the error "rows block this step".
constexpr const char* data_blocks_sqlstate = "SS009";

// A session with the functions of sql/updates in its temporary schema, which no other session can see. Throws
// as open_session() does.
class Catalogue {
 public:
  enum class Use {
    read,  // one transaction, never committed
    write,
  };
  Catalogue(const pg::ConnectionOptions& options, Use use);

  pg::Session& session() { return *session_; }

  std::vector<Step> steps();
  std::vector<std::string> missing_rights();
  std::vector<std::string> conflicts();  // objects with our names and other definitions
  std::vector<std::string> warnings();
  std::vector<std::string> leaks();  // once all steps are done: ways for a tenant to see another's rows
  // Reads the tables: slow when they are large.
  std::vector<BlockingRows> blocking_rows();

 private:
  std::vector<std::string> lines_from(const std::string& function);

  std::unique_ptr<pg::Session> session_;
};

// Hashes the statements of all steps that are not done: equal for equal work on one database.
std::string hash_of(const std::vector<Step>& steps, pg::Session& session);

}  // namespace socialsync::migrate
