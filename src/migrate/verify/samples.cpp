#include "migrate/verify/samples.hpp"

#include <fmt/core.h>

namespace socialsync::migrate {
namespace {

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

std::string SampleTenant::account_ids() const { return fmt::format("{{{},{}}}", active.id, inactive.id); }

std::string SampleTenant::log_ids() const { return fmt::format("{{{}}}", log_id); }

std::string SampleTenant::user_ids() const { return fmt::format("{{{}}}", user_id); }

SampleTenants insert_samples(pg::Session& session) {
  return {make_tenant(session, "whatsapp_business", "instagram"),
          make_tenant(session, "instagram", "whatsapp")};
}

}  // namespace socialsync::migrate
