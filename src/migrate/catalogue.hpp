// The list of steps, as it stands in one database: what is done, what is not, and what is in the way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pg/options.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

struct Step {
  std::string id;  // "columns", "index.page_id": stable, for scripts
  std::string title;
  std::string lock;    // the strongest lock it takes on a table others use; empty: none
  std::string tables;  // those tables, as a PostgreSQL array
  bool alone = false;  // cannot share a transaction with anything
  bool present = false;
  std::string precheck;  // raises data_blocks when rows stand in the way; may be empty
  std::string statements;
  std::string note;
};

struct RowsInTheWay {
  std::string
      kind;  // lacking (the key that routes), empty (text as the key), duplicate (key), orphan (no user)
  std::string found;  // with the accounts: "phone_number_id 4711 is the same for accounts …"
};

// SQLSTATE of the error that says that rows stand in the way of a step.
constexpr const char* data_blocks_sqlstate = "SS009";

// A session that knows the definitions of sql/updates: as functions of its own temporary schema, which nobody
// else sees. Throws what open_session() throws.
class Catalogue {
 public:
  enum class Use {
    read,  // in one transaction that is never committed: nothing of it stays
    write,
  };
  Catalogue(const pg::ConnectionOptions& options, Use use);

  pg::Session& session() { return *session_; }

  std::vector<Step> steps();
  std::vector<std::string> missing_rights();
  std::vector<std::string> conflicts();  // things of our names that are something else
  std::vector<std::string> warnings();
  std::vector<std::string> leaks();  // what tenants could see of each other, once all is done
  // Reads the tables, which takes its time when they are large.
  std::vector<RowsInTheWay> rows_in_the_way();

 private:
  std::vector<std::string> lines_of(const std::string& function);

  std::unique_ptr<pg::Session> session_;
};

// What the definitions make of each statement, over all steps: the same for the same work on the same
// database.
std::string hash_of(const std::vector<Step>& steps, pg::Session& session);

}  // namespace socialsync::migrate
