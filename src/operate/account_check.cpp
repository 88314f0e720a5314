#include "operate/account_check.hpp"

#include <unordered_map>

#include <fmt/core.h>

#include "operate/accounts.hpp"
#include "operate/route_trace.hpp"
#include "store/accounts.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

std::vector<std::string> routing_keys_of(const store::AccountRecord& account) {
  std::vector<std::string> keys;
  for (const std::string* key :
       {&account.phone_number_id, &account.waba_id, &account.page_id, &account.account_id})
    if (!key->empty()) keys.push_back(*key);
  return keys;
}

bool has_shared_token(const config::Config& settings, const std::string& platform) {
  if (platform == "instagram") return !settings.instagram.verify_token.empty();
  return platform != "facebook" && !settings.whatsapp.verify_token.empty();
}

void add_gaps(const store::AccountRecord& account, const config::Config& settings,
              std::vector<std::string>& notes) {
  const bool is_whatsapp = account.platform.starts_with("whatsapp");
  if (account.last_webhook_at.empty()) notes.emplace_back("no webhook received yet");
  if (!account.has_app_secret) notes.emplace_back("no app_secret of its own: META_APP_SECRET is used");
  if (!account.has_verify_token && !has_shared_token(settings, account.platform))
    notes.emplace_back("no verify_token, here or in the environment: Meta's handshake is answered with 403");
  if (is_whatsapp && account.waba_id.empty())
    notes.emplace_back(
        "its WABA is learned from the first message; until then events about templates and the account are "
        "quarantined");
}

using Texts = std::unordered_map<Uuid, std::vector<std::string>>;

// Faults and notes by account.
struct Judgement {
  Texts faults;
  Texts notes;
};

Judgement judgement_of(store::AccountsRead read, const config::Config& settings) {
  const RouteTracer tracer(std::move(read.accounts), settings);
  Judgement judgement;
  for (const model::Account& account : tracer.accounts()) {
    if (auto fault = tracer.fault_of(account)) judgement.faults[account.id].push_back(std::move(*fault));
  }
  for (const store::UnreadableSecret& secret : read.unreadable) {
    const Uuid id = parse_uuid(secret.account_id).value_or(Uuid());
    if (secret.why == crypto::OpenError::unknown_key)
      judgement.faults[id].push_back(
          fmt::format("its {} is encrypted under key {}, which is not in SOCIALSYNC_SECRETS_KEY: the account "
                      "has no usable secret, and serve does not start when no other value can be decrypted",
                      secret.column, secret.key_id));
    else
      judgement.notes[id].push_back(
          fmt::format("its {} cannot be decrypted: socialsync secrets status", secret.column));
  }
  return judgement;
}

std::vector<std::string> texts_for(const Texts& texts, const Uuid& account) {
  const auto found = texts.find(account);
  return found == texts.end() ? std::vector<std::string>() : found->second;
}

asio::awaitable<AccountFinding> check_one(pg::Connection& connection, std::string name,
                                          const Judgement& judgement, const config::Config& settings) {
  AccountFinding finding;
  finding.account = co_await find_account(connection, std::move(name));
  finding.faults = texts_for(judgement.faults, finding.account.id);
  finding.notes = texts_for(judgement.notes, finding.account.id);
  add_gaps(finding.account, settings, finding.notes);
  const std::vector<std::string> keys = routing_keys_of(finding.account);
  finding.quarantined = co_await store::count_waiting(connection, keys);
  finding.recent_events = co_await store::count_events_of_a_day(connection, finding.account.id);
  co_return finding;
}

}  // namespace

asio::awaitable<AccountsChecked> check_accounts(pg::Connection& connection, std::string name,
                                                const config::Config& settings) {
  const pg::ResultSet rows = co_await store::select_accounts(connection);
  const Judgement judgement = judgement_of(store::read_accounts(rows, settings.secrets.keys), settings);
  AccountsChecked result;
  if (!name.empty()) {
    AccountFinding finding = co_await check_one(connection, std::move(name), judgement, settings);
    result.checked = 1;
    result.findings.push_back(std::move(finding));
    co_return result;
  }
  const store::AccountFilter active{.name = {}, .platform = {}, .user = {}, .is_active = true};
  std::vector<store::AccountRecord> records = co_await store::find_accounts(connection, active);
  result.checked = records.size();
  for (store::AccountRecord& record : records) {
    std::vector<std::string> faults = texts_for(judgement.faults, record.id);
    if (!faults.empty())
      result.findings.push_back({.account = std::move(record), .faults = std::move(faults)});
  }
  co_return result;
}

}  // namespace socialsync::operate
