#include "pg/session.hpp"

#include <utility>

#include <libpq-fe.h>

#include "pg/sqlstate.hpp"

namespace socialsync::pg {
namespace {

std::string field_of(const PGresult* result, int field) {
  const char* value = PQresultErrorField(result, field);
  return value ? value : "";
}

// libpq's own errors have no SQLSTATE: a connection lost after it was opened gets this one.
std::string state_without_answer(PGconn* connection) {
  return PQstatus(connection) == CONNECTION_BAD ? std::string(sqlstate::connection_failure) : "";
}

// Returns a successful result; throws the server's error.
ResultSet checked(PGresult* result, PGconn* connection) {
  if (!result) throw Error(trimmed(PQerrorMessage(connection)), state_without_answer(connection));
  ResultSet owned(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE) return owned;
  const std::string message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string state = field_of(result, PG_DIAG_SQLSTATE);
  throw Error(message.empty() ? trimmed(PQresultErrorMessage(result)) : message,
              state.empty() ? state_without_answer(connection) : state,
              field_of(result, PG_DIAG_MESSAGE_DETAIL));
}

// libpq would print them to stderr.
void ignore_notice(void*, const PGresult*) {}

}  // namespace

void Session::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Session::Session(const ConnectionOptions& options) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  constexpr int expand_dbname = 1;
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), expand_dbname));
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw Error(trimmed(PQerrorMessage(connection_.get())), "");
  PQsetNoticeReceiver(connection_.get(), ignore_notice, nullptr);
}

Error Session::connection_error() const {
  return {trimmed(PQerrorMessage(connection_.get())), state_without_answer(connection_.get())};
}

ResultSet Session::query(const std::string& sql, const Parameters& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  return checked(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                              values.data(), nullptr, nullptr, 0),
                 connection_.get());
}

ResultSet Session::execute(const std::string& sql) {
  return checked(PQexec(connection_.get(), sql.c_str()), connection_.get());
}

void Session::copy_out(const std::string& sql, const std::function<void(std::string_view)>& piece) {
  execute(sql);
  char* buffer = nullptr;
  int size = 0;
  while ((size = PQgetCopyData(connection_.get(), &buffer, 0)) > 0) {
    const std::unique_ptr<char, void (*)(void*)> owned(buffer, PQfreemem);
    piece({buffer, static_cast<std::size_t>(size)});
  }
  if (size == -2) throw connection_error();
  while (PGresult* result = PQgetResult(connection_.get())) checked(result, connection_.get());
}

void Session::copy_in(const std::string& sql, const std::function<std::string_view()>& next) {
  execute(sql);
  for (std::string_view piece = next(); !piece.empty(); piece = next()) {
    if (PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) != 1)
      throw connection_error();
  }
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) throw connection_error();
  while (PGresult* result = PQgetResult(connection_.get())) checked(result, connection_.get());
}

void Session::cancel() const noexcept {
  const std::unique_ptr<PGcancel, void (*)(PGcancel*)> request(PQgetCancel(connection_.get()), PQfreeCancel);
  if (!request) return;
  char reason[256];
  PQcancel(request.get(), reason, sizeof reason);
}

int Session::server_version() const { return PQserverVersion(connection_.get()); }

int Session::backend_pid() const { return PQbackendPID(connection_.get()); }

bool Session::in_transaction() const { return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE; }

}  // namespace socialsync::pg
