#include "migrate/verify/transaction.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace socialsync::migrate {
namespace {

// Somebody may be about to change the tables, and others queue behind whoever waits for that.
constexpr const char* set_limits = R"(
SET LOCAL lock_timeout = '2s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL client_connection_check_interval = '2s')";

bool is_about_the_database(const pg::Error& error) {
  constexpr std::array<std::string_view, 5> passing = {"55P03", "57014", "40P01", "40001", "25P03"};
  return error.kind() != pg::ErrorKind::connection && !error.sqlstate().empty() &&
         std::ranges::find(passing, error.sqlstate()) == passing.end();
}

}  // namespace

TrialTransaction::TrialTransaction(pg::Session& session, const std::string& begin) : session_(session) {
  session_.execute(begin);
  session_.execute(set_limits);
}

TrialTransaction::~TrialTransaction() {
  try {
    session_.execute("ROLLBACK");
  } catch (const pg::Error&) {  // the server has done it, then
  }
}

std::optional<pg::Error> TrialTransaction::perform(const std::function<void()>& work) {
  return run(work, true);
}

std::optional<pg::Error> TrialTransaction::attempt(const std::function<void()>& work) {
  return run(work, false);
}

std::optional<pg::Error> TrialTransaction::run(const std::function<void()>& work, bool keep) {
  session_.execute("SAVEPOINT trial");
  std::optional<pg::Error> refused;
  try {
    work();
  } catch (const pg::Error& error) {
    if (!is_about_the_database(error)) throw;
    refused = error;
  }
  if (refused || !keep) session_.execute("ROLLBACK TO SAVEPOINT trial");
  session_.execute("RELEASE SAVEPOINT trial");
  return refused;
}

}  // namespace socialsync::migrate
