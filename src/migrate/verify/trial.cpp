#include "migrate/verify/trial.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/core.h>

#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

// A short lock_timeout: when another session is about to change a table, later sessions queue behind our
// wait.
constexpr const char* set_limits = R"(
SET LOCAL lock_timeout = '2s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL client_connection_check_interval = '2s')";

bool is_about_the_database(const pg::Error& error) {
  constexpr std::array<std::string_view, 5> passing = {
      pg::sqlstate::lock_not_available, pg::sqlstate::query_canceled, pg::sqlstate::deadlock_detected,
      pg::sqlstate::serialization_failure, pg::sqlstate::idle_in_transaction_session_timeout};
  return error.kind() != pg::ErrorKind::connection && !error.sqlstate().empty() &&
         std::ranges::find(passing, error.sqlstate()) == passing.end();
}

constexpr const char* insert_user = R"(
INSERT INTO public.users (id, email)
SELECT id, 'socialsync-verify-' || id || '@example.invalid' FROM gen_random_uuid() AS id
RETURNING id::text)";

constexpr const char* insert_account = R"(
INSERT INTO public.social_accounts
  (platform, account_id, username, user_id, is_active, phone_number_id, page_id, access_token, app_secret, verify_token)
SELECT $1::text::public.social_platform, 'socialsync-verify-account-' || key, 'socialsync-verify', $2::uuid, $3::boolean,
       CASE WHEN $1::text <> 'instagram' THEN 'socialsync-verify-' || key END,
       CASE WHEN $1::text = 'instagram' THEN 'socialsync-verify-' || key END, 'sample', 'sample', 'sample'
FROM gen_random_uuid() AS key
RETURNING id::text, coalesce(phone_number_id, page_id))";

constexpr const char* insert_log = R"(
INSERT INTO public.webhook_logs (social_account_id, platform, webhook_type, payload, user_id)
SELECT a.id, a.platform, 'messages', '{}', a.user_id FROM public.social_accounts AS a WHERE a.id = $1::uuid
RETURNING id::text)";

SampleAccount make_account(pg::Session& session, const char* platform, const std::string& user_id,
                           bool active) {
  const pg::ResultSet rows = session.query(insert_account, {platform, user_id, active ? "true" : "false"});
  return {.id = std::string(rows.text(0, 0)), .key = std::string(rows.text(0, 1))};
}

SampleTenant make_tenant(pg::Session& session, const char* active_on, const char* inactive_on) {
  SampleTenant tenant;
  tenant.user_id = session.query(insert_user).text(0, 0);
  tenant.active = make_account(session, active_on, tenant.user_id, true);
  tenant.inactive = make_account(session, inactive_on, tenant.user_id, false);
  tenant.log_id = session.query(insert_log, {tenant.active.id}).text(0, 0);
  return tenant;
}

}  // namespace

TrialTransaction::TrialTransaction(pg::Session& session, const std::string& begin) : session_(session) {
  session_.execute(begin);
  session_.execute(set_limits);
}

TrialTransaction::~TrialTransaction() {
  try {
    session_.execute("ROLLBACK");
  } catch (const pg::Error&) {  // the connection is lost: the server rolls back
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

std::string SampleTenant::account_ids() const { return fmt::format("{{{},{}}}", active.id, inactive.id); }

std::string SampleTenant::log_ids() const { return fmt::format("{{{}}}", log_id); }

std::string SampleTenant::user_ids() const { return fmt::format("{{{}}}", user_id); }

SampleTenants insert_samples(pg::Session& session) {
  return {make_tenant(session, "whatsapp_business", "instagram"),
          make_tenant(session, "instagram", "whatsapp")};
}

}  // namespace socialsync::migrate
