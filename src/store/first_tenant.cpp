#include "store/first_tenant.hpp"

#include <span>
#include <utility>

#include <fmt/core.h>

#include "base/text.hpp"

namespace socialsync::store {
namespace {

// An existing account with the number or page is updated: the demo's, for example.
constexpr const char* upsert_account = R"(
WITH known AS (
  UPDATE public.social_accounts
  SET access_token = nullif($3, ''), app_secret = nullif($4, ''), verify_token = nullif($5, '')
  WHERE (platform = 'instagram') = ($1::text = 'instagram')
    AND CASE WHEN $1 = 'instagram' THEN page_id ELSE phone_number_id END = $2::text
  RETURNING id),
owner AS (
  INSERT INTO public.users (id, email, full_name, is_active)
  SELECT gen_random_uuid(), 'owner@localhost', 'First tenant', true
  WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (email) DO UPDATE SET email = excluded.email
  RETURNING id)
INSERT INTO public.social_accounts (id, platform, account_id, username, display_name, phone_number_id, page_id,
                                    access_token, app_secret, verify_token, business_name, user_id, is_active)
SELECT gen_random_uuid(), $1::public.social_platform, $2, $2, 'First tenant',
       CASE WHEN $1 <> 'instagram' THEN $2 END, CASE WHEN $1 = 'instagram' THEN $2 END,
       nullif($3, ''), nullif($4, ''), nullif($5, ''), 'First tenant', owner.id, true
FROM owner
ON CONFLICT (platform, account_id) DO UPDATE
SET access_token = excluded.access_token, app_secret = excluded.app_secret, verify_token = excluded.verify_token)";

// Selects the account that the statement above would update.
constexpr const char* select_first_account = R"(
SELECT id::text, access_token, app_secret, verify_token FROM public.social_accounts
WHERE (platform = 'instagram') = ($1::text = 'instagram')
  AND CASE WHEN $1 = 'instagram' THEN page_id ELSE phone_number_id END = $2::text
   OR platform::text = $1 AND account_id = $2
ORDER BY CASE WHEN $1 = 'instagram' THEN page_id ELSE phone_number_id END = $2 DESC NULLS LAST LIMIT 1)";

// The guide's test uses this account id, so that its INSERT … ON CONFLICT finds this account.
constexpr const char* insert_demo = R"(
WITH demo_user AS (
  INSERT INTO public.users (id, email, full_name, is_active)
  SELECT gen_random_uuid(), 'demo@localhost', 'Demo tenant', true
  WHERE NOT EXISTS (SELECT FROM public.social_accounts)
  ON CONFLICT (email) DO UPDATE SET email = excluded.email
  RETURNING id)
INSERT INTO public.social_accounts (id, platform, account_id, username, display_name, phone_number_id, app_secret,
                                    verify_token, business_name, display_phone_number, user_id, is_active)
SELECT gen_random_uuid(), 'whatsapp_business', 'wa_test_123', 'demo', 'Demo tenant', '683178638221369',
       CASE WHEN NOT $1::boolean THEN replace(gen_random_uuid()::text, '-', '') END,
       replace(gen_random_uuid()::text, '-', ''), 'Demo tenant',
       '+33765540003', demo_user.id, true
FROM demo_user)";

constexpr const char* select_app_secret = R"(
SELECT app_secret, id::text FROM public.social_accounts
WHERE app_secret IS NOT NULL AND $1 IN (phone_number_id, page_id, account_id)
ORDER BY is_active DESC, created_at LIMIT 1)";

constexpr const char* select_phone_number_id = R"(
SELECT phone_number_id FROM public.social_accounts
WHERE phone_number_id IS NOT NULL AND is_active ORDER BY created_at, id LIMIT 1)";

// Returns the value to write for a setting: the stored encrypted value when it equals the setting or cannot
// be decrypted.
void keep_sealed(FirstAccount& account, const pg::ResultSet& found, const crypto::SecretKeys& keys) {
  const std::pair<const char*, std::string*> settings[] = {{"access_token", &account.access_token},
                                                           {"app_secret", &account.app_secret},
                                                           {"verify_token", &account.verify_token}};
  int column = 0;
  for (const auto& [name, setting] : settings) {
    const std::string_view stored = found.text(0, ++column);
    const auto opened = keys.open_list(stored, crypto::account_place(found.text(0, 0), name));
    const bool is_ours = opened || opened.error() != crypto::OpenError::unknown_key;
    if (!is_ours || (opened && *opened == *setting)) *setting = stored;
  }
}

std::string opened_secret(std::string_view account_id, std::string_view stored,
                          const crypto::SecretKeys& keys) {
  if (!crypto::is_sealed(stored)) return std::string(stored);
  auto opened = keys.open(stored, crypto::account_place(account_id, "app_secret"));
  if (opened) return std::move(*opened);
  throw SealedAppSecret(
      opened.error() == crypto::OpenError::unknown_key
          ? fmt::format("the app secret of account {} is encrypted under key {}: set SOCIALSYNC_SECRETS_KEY "
                        "to that key",
                        account_id, crypto::key_id_of(stored))
          : fmt::format(
                "the app secret of account {} cannot be opened: it was changed, or is another account's",
                account_id));
}

std::optional<std::string> first_value(const pg::ResultSet& rows) {
  if (rows.rows() == 0) return std::nullopt;
  return std::string(rows.text(0, 0));
}

}  // namespace

boost::asio::awaitable<void> upsert_first_account(pg::Connection& connection, FirstAccount account,
                                                  const crypto::SecretKeys& keys) {
  pg::Statement select{.name = "select_first_account", .sql = select_first_account};
  select.with(account.platform_label).with(account.key);
  const pg::ResultSet found = co_await connection.run(select);
  if (found.rows() > 0) keep_sealed(account, found, keys);
  pg::Statement statement{.name = "upsert_account", .sql = upsert_account};
  statement.with(account.platform_label).with(account.key).with(account.access_token);
  statement.with(account.app_secret).with(account.verify_token);
  co_await connection.run(statement);
}

boost::asio::awaitable<void> make_demo_account(pg::Connection& connection, bool shares_secret) {
  pg::Statement statement{.name = "insert_demo", .sql = insert_demo};
  statement.with(shares_secret ? "true" : "false");
  co_await connection.run(statement);
}

boost::asio::awaitable<std::optional<std::string>> find_app_secret(pg::Connection& connection,
                                                                   const std::string& key,
                                                                   const crypto::SecretKeys& keys) {
  pg::Statement statement{.name = "select_app_secret", .sql = select_app_secret};
  statement.with(key);
  const pg::ResultSet rows = co_await connection.run(statement);
  if (rows.rows() == 0) co_return std::nullopt;
  // During a rotation this is a list, the newest first.
  const std::vector<std::string> entries = split_list(rows.text(0, 0));
  if (entries.empty()) co_return std::nullopt;
  const std::vector<std::string> all = split_list(opened_secret(rows.text(0, 1), entries.front(), keys));
  if (all.empty()) co_return std::nullopt;
  co_return all.front();
}

boost::asio::awaitable<std::optional<std::string>> any_phone_number_id(pg::Connection& connection) {
  const pg::Statement statement{.name = "select_phone_number_id", .sql = select_phone_number_id};
  const pg::ResultSet rows = co_await connection.run(statement);
  co_return first_value(rows);
}

}  // namespace socialsync::store
