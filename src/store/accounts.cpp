#include "store/accounts.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace socialsync::store {
namespace {

constexpr const char* select_all_accounts = R"(
SELECT id::text, user_id::text, platform::text, is_active IS TRUE, account_id, phone_number_id, page_id,
       display_phone_number,
       CASE WHEN jsonb_typeof(webhook_metadata -> 'ids') = 'array'
            THEN (SELECT string_agg(linked, ',') FROM jsonb_array_elements_text(webhook_metadata -> 'ids') linked)
       END,
       webhook_metadata ->> 'waba_id', app_secret, verify_token, webhook_events IS NULL,
       array_to_string(webhook_events, ',')
FROM public.social_accounts
WHERE platform::text IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook')
ORDER BY created_at, id)";

namespace account_column {
enum Index : int {
  id,
  user_id,
  platform,
  is_active,
  account_id,
  phone_number_id,
  page_id,
  display_phone_number,
  linked_ids,
  waba_id,
  app_secret,
  verify_token,
  all_events,
  webhook_events
};
}  // namespace account_column

// Locked rows are skipped until the next update.
constexpr const char* update_sightings = R"(
UPDATE public.social_accounts a
SET last_webhook_at = greatest(a.last_webhook_at, s.received),
    webhook_status = 'active'
FROM unnest($1::uuid[], $2::timestamptz[]) AS s (id, received)
WHERE a.id = s.id AND a.id IN (SELECT id FROM public.social_accounts WHERE id = ANY ($1::uuid[])
                               FOR NO KEY UPDATE SKIP LOCKED))";

// A value that accounts learn from their traffic.
struct Lesson {
  // $1: accounts, $2: the value seen for each. Returns the accounts that store it. Asked first, because the
  // update makes every gateway reload its directory, even when it changes no row.
  const char* question_name;
  const char* question;
  // $1, $2: the result of that query.
  const char* update_name;
  const char* update;
};

constexpr Lesson waba_ids = {"select_learners", R"(
SELECT a.id::text, s.waba_id
FROM unnest($1::uuid[], $2::text[]) AS s (id, waba_id) JOIN public.social_accounts a ON a.id = s.id
WHERE a.webhook_metadata ->> 'waba_id' IS DISTINCT FROM s.waba_id
  AND coalesce(jsonb_typeof(a.webhook_metadata), 'object') = 'object')",
                             "update_waba_ids", R"(
UPDATE public.social_accounts a
SET webhook_metadata = coalesce(a.webhook_metadata, '{}') || jsonb_build_object('waba_id', s.waba_id)
FROM unnest($1::uuid[], $2::text[]) AS s (id, waba_id)
WHERE a.id = s.id AND coalesce(jsonb_typeof(a.webhook_metadata), 'object') = 'object')"};

// Two accounts with one number under one secret would be ambiguous: a number is stored only if no other
// account has it, and for one of the accounts that saw it now. Grouped, because a join may scan all accounts
// for each row.
constexpr Lesson display_numbers = {"select_unnumbered", R"(
SELECT (array_agg(id ORDER BY id))[1]::text, (array_agg(number ORDER BY id))[1]
FROM (SELECT a.id, s.number, regexp_replace(s.number, '\D', '', 'g'), coalesce(a.app_secret, '')
      FROM unnest($1::uuid[], $2::text[]) AS s (id, number)
      JOIN public.social_accounts a ON a.id = s.id AND coalesce(a.display_phone_number, '') = ''
      UNION ALL
      SELECT NULL, NULL, regexp_replace(o.display_phone_number, '\D', '', 'g'), coalesce(o.app_secret, '')
      FROM public.social_accounts o
      WHERE o.platform::text IN ('whatsapp', 'whatsapp_business') AND o.display_phone_number <> ''
     ) AS claims (id, number, digits, secret)
GROUP BY digits, secret
HAVING count(*) = count(id))",
                                    "update_display_numbers", R"(
UPDATE public.social_accounts a
SET display_phone_number = s.number
FROM unnest($1::uuid[], $2::text[]) AS s (id, number)
WHERE a.id = s.id AND coalesce(a.display_phone_number, '') = '')"};

model::Platform platform_of(std::string_view label) {
  if (label == "instagram") return model::Platform::instagram;
  if (label == "facebook") return model::Platform::messenger;
  return model::Platform::whatsapp;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Decrypts encrypted secrets.
class SecretReader {
 public:
  SecretReader(const crypto::SecretKeys& keys, std::vector<UnreadableSecret>& unreadable)
      : keys_(keys), unreadable_(unreadable) {}

  // Returns the plaintext; empty when it cannot be decrypted. Encrypted text between blanks counts as
  // encrypted: used as plaintext, it would be a secret that every reader of the table knows.
  std::string read(std::string_view account_id, std::string_view column, std::string_view text) {
    const std::string_view value = without_blanks(text);
    if (!crypto::is_sealed(value)) return std::string(text);
    auto opened = keys_.open(value, crypto::account_place(account_id, column));
    any_opened_ = any_opened_ || opened;
    if (opened) return std::move(*opened);
    unreadable_.push_back({.account_id = std::string(account_id),
                           .column = column,
                           .why = opened.error(),
                           .key_id = std::string(crypto::key_id_of(value))});
    return {};
  }

  bool any_opened() const { return any_opened_; }

 private:
  const crypto::SecretKeys& keys_;
  std::vector<UnreadableSecret>& unreadable_;
  bool any_opened_ = false;
};

void read_secrets(const pg::ResultSet& rows, std::size_t row, SecretReader& reader, model::Account& account) {
  const std::string_view id = rows.text(row, account_column::id);
  const std::string_view secret = rows.text(row, account_column::app_secret);
  bool any_sealed = false;
  // A plaintext secret may stand before an encrypted one, or before an encrypted list.
  for (const std::string& entry : split_list(secret)) {
    any_sealed = any_sealed || crypto::is_sealed(without_blanks(entry));
    std::string opened = reader.read(id, "app_secret", entry);
    for (std::string& one : split_list(opened)) account.app_secrets.push_back(std::move(one));
    crypto::wipe(opened);
  }
  account.has_unreadable_secret = any_sealed && account.app_secrets.empty();
  account.verify_token = reader.read(id, "verify_token", rows.text(row, account_column::verify_token));
}

model::Account account_at(const pg::ResultSet& rows, std::size_t row, SecretReader& reader) {
  const auto text = [&](account_column::Index column) { return std::string(rows.text(row, column)); };
  const auto identifier = [&](account_column::Index column) {
    const std::optional<Uuid> value = parse_uuid(rows.text(row, column));
    if (!value) throw std::runtime_error("social_accounts holds an id that is not a UUID");
    return *value;
  };
  model::Account account{.id = identifier(account_column::id),
                         .user_id = identifier(account_column::user_id),
                         .platform = platform_of(rows.text(row, account_column::platform)),
                         .platform_label = text(account_column::platform),
                         .active = rows.text(row, account_column::is_active) == "t",
                         .account_id = text(account_column::account_id),
                         .phone_number_id = text(account_column::phone_number_id),
                         .page_id = text(account_column::page_id),
                         .display_phone_number = text(account_column::display_phone_number),
                         .linked_ids = split_list(rows.text(row, account_column::linked_ids)),
                         .waba_id = text(account_column::waba_id),
                         .app_secrets = {},
                         .verify_token = {},
                         .webhook_events = std::nullopt};
  read_secrets(rows, row, reader, account);
  if (rows.text(row, account_column::all_events) == "f")
    account.webhook_events = split_list(rows.text(row, account_column::webhook_events));
  return account;
}

// Account ids, and a text for each.
class Pairs {
 public:
  void add(const Uuid& id, std::string_view text) {
    ids_.add(id);
    texts_.add(text);
    empty_ = false;
  }
  bool empty() const { return empty_; }
  pg::Statement statement(const char* name, const char* sql) && {
    pg::Statement statement{.name = name, .sql = sql};
    statement.with(std::move(ids_)).with(std::move(texts_));
    return statement;
  }

 private:
  pg::Array ids_{pg::Type::uuid}, texts_{pg::Type::text};
  bool empty_ = true;
};

boost::asio::awaitable<void> learn(pg::Connection& connection, const Lesson& lesson,
                                   std::span<const Sighting> sightings, std::string Sighting::* what) {
  Pairs told;
  for (const Sighting& sighting : sightings) {
    if (!(sighting.*what).empty()) told.add(sighting.account_id, sighting.*what);
  }
  if (told.empty()) co_return;
  const pg::Statement question = std::move(told).statement(lesson.question_name, lesson.question);
  const pg::ResultSet answer = co_await connection.run(question);
  Pairs learned;
  for (std::size_t row = 0; row < answer.rows(); ++row)
    learned.add(parse_uuid(answer.text(row, 0)).value(), answer.text(row, 1));
  if (learned.empty()) co_return;
  const pg::Statement update = std::move(learned).statement(lesson.update_name, lesson.update);
  co_await connection.run(update);
}

}  // namespace

boost::asio::awaitable<void> listen_for_account_changes(pg::Connection& connection) {
  const pg::Statement listen{.name = "listen_accounts", .sql = "LISTEN socialsync_accounts"};
  co_await connection.run(listen);
}

boost::asio::awaitable<pg::ResultSet> select_accounts(pg::Connection& connection) {
  const pg::Statement select{.name = "select_accounts", .sql = select_all_accounts};
  co_return co_await connection.run(select);
}

AccountsRead read_accounts(const pg::ResultSet& rows, const crypto::SecretKeys& keys) {
  AccountsRead read;
  SecretReader reader(keys, read.unreadable);
  read.accounts.reserve(rows.rows());
  for (std::size_t row = 0; row < rows.rows(); ++row) read.accounts.push_back(account_at(rows, row, reader));
  read.any_opened = reader.any_opened();
  return read;
}

boost::asio::awaitable<void> record_sightings(pg::Connection& connection,
                                              std::span<const Sighting> sightings) {
  pg::Array ids(pg::Type::uuid), times(pg::Type::timestamptz);
  for (const Sighting& sighting : sightings) {
    ids.add(sighting.account_id);
    times.add_timestamp(sighting.received_ms);
  }
  pg::Statement update{.name = "update_sightings", .sql = update_sightings};
  update.with(std::move(ids)).with(std::move(times));
  co_await connection.run(update);
  co_await learn(connection, waba_ids, sightings, &Sighting::waba_id);
  co_await learn(connection, display_numbers, sightings, &Sighting::display_phone_number);
}

}  // namespace socialsync::store
