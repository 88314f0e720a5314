#include "pg/error.hpp"

#include <utility>

#include "pg/sqlstate.hpp"

namespace socialsync::pg {
namespace {

struct Rule {
  std::string_view prefix;
  ErrorKind kind;
};

// First match wins.
constexpr Rule rules[] = {
    {"08", ErrorKind::connection},                     // connection exceptions
    {"57P", ErrorKind::connection},                    // the server is shutting down, crashed, or starting
    {sqlstate::query_canceled, ErrorKind::transient},  // cancelled, also by statement_timeout
    {"40", ErrorKind::transient},                      // serialization failure, deadlock
    {"53", ErrorKind::transient},                      // out of disk, memory, connections
    {sqlstate::lock_not_available, ErrorKind::transient},
    {sqlstate::read_only_sql_transaction,
     ErrorKind::transient},        // read-only: a standby, or a primary in maintenance
    {"58", ErrorKind::transient},  // system error, e.g. input/output
    {"22", ErrorKind::data},       // data exceptions
    {"23", ErrorKind::data},       // integrity constraints
    {"54", ErrorKind::data},       // program limits: a value too long for an index
};

}  // namespace

ErrorKind classify(std::string_view sqlstate) {
  if (sqlstate.empty()) return ErrorKind::connection;
  for (const Rule& rule : rules) {
    if (sqlstate.starts_with(rule.prefix)) return rule.kind;
  }
  return ErrorKind::other;
}

Error::Error(const std::string& message, std::string sqlstate, std::string detail)
    : std::runtime_error(message),
      sqlstate_(std::move(sqlstate)),
      detail_(std::move(detail)),
      kind_(classify(sqlstate_)) {}

bool Error::is_lock_conflict() const {
  return sqlstate_ == sqlstate::lock_not_available ||
         sqlstate_.starts_with(sqlstate::class_transaction_rollback);
}

std::string trimmed(const char* text) {
  std::string message(text ? text : "");
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return message;
}

}  // namespace socialsync::pg
