#include <algorithm>
#include <iterator>
#include <memory>
#include <unordered_map>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/migrate/route_trace.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "store/accounts.hpp"

namespace socialsync::cli::accounts {
namespace {

struct CheckOptions : Options {
  std::string name;
};

// What was found out of one account.
struct Finding {
  store::AccountRecord account;
  std::vector<std::string> faults;    // its events do not come to it
  std::vector<std::string> missing;   // they do, but something is left to be wished
  std::vector<store::Count> waiting;  // in quarantine, under its keys, by reason
  std::vector<store::Count> events;   // of the last day, by type
};

std::vector<std::string> keys_of(const store::AccountRecord& account) {
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

std::vector<std::string> missing_of(const store::AccountRecord& account, const config::Config& settings) {
  std::vector<std::string> missing;
  const bool is_whatsapp = account.platform.starts_with("whatsapp");
  if (account.last_webhook_at.empty()) missing.emplace_back("no webhook has come yet");
  if (!account.has_app_secret) missing.emplace_back("no app_secret of its own: META_APP_SECRET is used");
  if (!account.has_verify_token && !has_shared_token(settings, account.platform))
    missing.emplace_back(
        "no verify_token, here or in the environment: Meta's handshake is answered with 403");
  if (is_whatsapp && account.waba_id.empty())
    missing.emplace_back(
        "its WABA is not known until the first message: events about templates and the account wait in "
        "quarantine");
  return missing;
}

using Faults = std::unordered_map<Uuid, std::vector<std::string>>;

// What serve would make of the accounts, with the environment that is here.
struct Judgement {
  Faults faults;
  Faults notes;
};

Judgement judgement_of(store::AccountsRead read, const config::Config& settings) {
  const route::SharedSecrets shared{.whatsapp = settings.whatsapp.app_secrets,
                                    .instagram = settings.instagram.app_secrets,
                                    .messenger = settings.messenger.app_secrets};
  const migration::RouteTracer tracer(std::move(read.accounts), shared);
  Judgement judgement;
  for (const model::Account& known : tracer.accounts()) {
    if (auto fault = tracer.fault_of(known)) judgement.faults[known.id].push_back(std::move(*fault));
  }
  for (const store::UnreadableSecret& secret : read.unreadable) {
    const Uuid id = parse_uuid(secret.account_id).value_or(Uuid());
    if (secret.why == crypto::OpenError::unknown_key)
      judgement.faults[id].push_back(
          fmt::format("its {} is sealed under key {}, which is not one of SOCIALSYNC_SECRETS_KEY: it has "
                      "no secret, and where no other value opens serve does not start",
                      secret.column, secret.key_id));
    else
      judgement.notes[id].push_back(
          fmt::format("its {} is sealed and cannot be opened: socialsync secrets status", secret.column));
  }
  return judgement;
}

std::vector<std::string> words_for(const Faults& faults, const Uuid& account) {
  const auto found = faults.find(account);
  return found == faults.end() ? std::vector<std::string>() : found->second;
}

Finding finding_of(store::AccountRecord account, const Judgement& judgement, const config::Config& settings) {
  Finding finding{.account = std::move(account), .faults = {}, .missing = {}, .waiting = {}, .events = {}};
  finding.faults = words_for(judgement.faults, finding.account.id);
  finding.missing = words_for(judgement.notes, finding.account.id);
  std::ranges::copy(missing_of(finding.account, settings), std::back_inserter(finding.missing));
  return finding;
}

boost::json::object counts_of(const std::vector<store::Count>& counts) {
  boost::json::object object;
  for (const store::Count& count : counts) object[count.name] = count.rows;
  return object;
}

void print_counts(const char* what, const std::vector<store::Count>& counts) {
  if (counts.empty()) return;
  std::string line;
  for (const store::Count& count : counts)
    line +=
        fmt::format("{}{} {}", line.empty() ? "" : ", ", readable_count(count.rows), printable(count.name));
  fmt::print("  {}: {}\n", what, line);
}

void print_text(const Finding& finding) {
  const bool is_good = finding.faults.empty();
  fmt::print("{} {}\n",
             coloured(is_good ? Colour::green : Colour::red, is_good ? "gets its events" : "gets no events"),
             described(finding.account));
  for (const std::string& fault : finding.faults)
    fmt::print("  {} {}\n", coloured(Colour::red, "fault:"), printable(fault));
  for (const std::string& wish : finding.missing)
    fmt::print("  {} {}\n", coloured(Colour::yellow, "note:"), wish);
  if (!finding.account.last_webhook_at.empty())
    fmt::print("  last webhook: {}\n", finding.account.last_webhook_at);
  print_counts("events of the last day", finding.events);
  print_counts("in quarantine under its keys", finding.waiting);
}

boost::json::object json_of(const Finding& finding) {
  return {{"account", accounts::json_of(finding.account)},
          {"gets_its_events", finding.faults.empty()},
          {"faults", boost::json::array(finding.faults.begin(), finding.faults.end())},
          {"notes", boost::json::array(finding.missing.begin(), finding.missing.end())},
          {"events_of_the_last_day", counts_of(finding.events)},
          {"in_quarantine", counts_of(finding.waiting)}};
}

boost::asio::awaitable<Finding> find_out_of_one(pg::Connection& connection, std::string name,
                                                const Judgement& judgement, const config::Config& settings) {
  store::AccountRecord account = co_await the_account(connection, std::move(name));
  Finding finding = finding_of(std::move(account), judgement, settings);
  const std::vector<std::string> keys = keys_of(finding.account);
  finding.waiting = co_await store::count_waiting(connection, keys);
  finding.events = co_await store::count_events_of_a_day(connection, finding.account.id);
  co_return finding;
}

// Of one account all; of many those that do not get their events.
boost::asio::awaitable<std::vector<Finding>> find_out(pg::Connection& connection, const CheckOptions& options,
                                                      const config::Config& settings, std::size_t& checked) {
  const pg::ResultSet rows = co_await store::select_accounts(connection);
  const Judgement judgement = judgement_of(store::read_accounts(rows, settings.secrets.keys), settings);
  std::vector<Finding> findings;
  if (!options.name.empty()) {
    Finding finding = co_await find_out_of_one(connection, options.name, judgement, settings);
    findings.push_back(std::move(finding));
    checked = 1;
    co_return findings;
  }
  const store::AccountFilter active{.name = "", .platform = "", .user = "", .is_active = true};
  std::vector<store::AccountRecord> records = co_await store::find_accounts(connection, active);
  checked = records.size();
  for (store::AccountRecord& record : records) {
    std::vector<std::string> faults = words_for(judgement.faults, record.id);
    if (faults.empty()) continue;
    findings.push_back({.account = std::move(record),
                        .faults = std::move(faults),
                        .missing = {},
                        .waiting = {},
                        .events = {}});
  }
  co_return findings;
}

int check(const CheckOptions& options) {
  const config::Config settings = settings_of(options.common);
  std::vector<Finding> findings;
  std::size_t checked = 0;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    findings = co_await find_out(connection, options, settings, checked);
  });
  std::size_t faulty = 0;
  boost::json::array all;
  for (const Finding& finding : findings) {
    faulty += finding.faults.empty() ? 0 : 1;
    if (options.common.output == Output::json)
      all.push_back(json_of(finding));
    else
      print_text(finding);
  }
  if (options.common.output == Output::json)
    print_json({{"checked", checked}, {"faulty", faulty}, {"findings", std::move(all)}});
  else if (options.name.empty())
    fmt::print("{} of {} active accounts get their events\n", readable_count(checked - faulty),
               readable_count(checked));
  return static_cast<int>(faulty == 0 ? Exit::done : Exit::data_blocks);
}

}  // namespace

void add_check(Command accounts) {
  Command command =
      accounts.add_subcommand("check", "Would its webhooks come to it, what is missing, when was the last?");
  command.footer(
      std::string(
          "With the environment that serve has, whose secrets stand behind accounts without their own.\n"
          "Without an account: every active one, and those that would get no events are told.\n"
          "Examples:\n"
          "  socialsync accounts check 683178638221369\n"
          "  socialsync accounts check --output json") +
      exit_codes + "; an account gets no events");
  const auto options = std::make_shared<CheckOptions>();
  add_account_name(command, options->name, false);
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return check(*options); }); });
}

}  // namespace socialsync::cli::accounts
