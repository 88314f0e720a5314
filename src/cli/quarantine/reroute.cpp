#include "ingest/reroute.hpp"

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/quarantine/commands.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::quarantine {
namespace {

namespace json = boost::json;
namespace asio = boost::asio;
using ingest::RerouteReport;

struct Options {
  store::QuarantineFilter filter;
  bool is_rehearsal = false;
  bool wants_json = false;
};

const char* explanation(const std::string& why) {
  static const std::map<std::string, const char*> words = {
      {"unknown_account", "no account has that routing key"},
      {"inactive_account", "the account is switched off"},
      {"ambiguous_account", "accounts of several users answer to that key"},
      {"secret_mismatch", "not signed under a secret of that account"},
      {"too_many_events", "the first of them were logged, the others would be too many"},
      {"rejected_by_database", "the database refuses the row"},
      {"unsigned", "came by a test route, unsigned"},
      {"unknown_secret", "the secret that signed it is not here any more"},
      {"no_event", "there is no event in it"},
      {"locked", "somebody holds a lock: run this again"}};
  const auto found = words.find(why);
  return found == words.end() ? "cannot be read" : found->second;
}

json::object object_of(const RerouteReport::OfReason& of) {
  json::object stays, accounts;
  for (const auto& [why, rows] : of.stays) stays[why] = rows;
  for (const auto& [account, events] : of.accounts)
    accounts[account == Uuid() ? "app" : to_string(account)] = events;
  return {{"rows", of.rows},     {"moved", of.moved},           {"taken_by_others", of.gone},
          {"events", of.events}, {"duplicates", of.duplicates}, {"stays", stays},
          {"accounts", accounts}};
}

void print_json(const RerouteReport& report, bool is_rehearsal) {
  json::object reasons;
  for (const auto& [reason, of] : report.reasons) reasons[reason] = object_of(of);
  fmt::print("{}\n",
             json::serialize(json::object{{"v", 1}, {"dry_run", is_rehearsal}, {"reasons", reasons}}));
}

void print_reason(const std::string& reason, const RerouteReport::OfReason& of, bool is_rehearsal) {
  fmt::print("{}: {} row{}\n", reason, readable_count(of.rows), of.rows == 1 ? "" : "s");
  std::vector<std::vector<std::string>> lines;
  if (of.moved > 0)
    lines.push_back(
        {is_rehearsal ? "  would move" : "  moved", readable_count(of.moved),
         fmt::format("{} events{}", readable_count(of.events),
                     of.duplicates > 0 ? fmt::format(", {} were there already", readable_count(of.duplicates))
                                       : "")});
  for (const auto& [account, events] : of.accounts)
    lines.push_back({"    to", readable_count(events),
                     account == Uuid() ? "the app's own" : "account " + to_string(account)});
  if (of.gone > 0) lines.push_back({"  gone", readable_count(of.gone), "taken by somebody else meanwhile"});
  for (const auto& [why, rows] : of.stays)
    lines.push_back({is_rehearsal ? "  would stay" : "  stays", readable_count(rows),
                     fmt::format("{}: {}", why, explanation(why))});
  fmt::print("{}", aligned(lines));
}

void print(const RerouteReport& report, const Options& options) {
  if (options.wants_json) {
    print_json(report, options.is_rehearsal);
    return;
  }
  for (const auto& [reason, of] : report.reasons) print_reason(reason, of, options.is_rehearsal);
  if (report.reasons.empty()) fmt::print("Nothing is there that matches.\n");
}

asio::awaitable<int> reroute(const Options& options, const config::Config& config,
                             pg::Connection& connection) {
  const std::vector<store::QuarantineCount> counts =
      co_await store::count_quarantined(connection, options.filter);
  std::uint64_t total = 0;
  for (const store::QuarantineCount& count : counts) total += count.rows;
  const route::SharedSecrets shared{config.whatsapp.app_secrets, config.instagram.app_secrets,
                                    config.messenger.app_secrets};
  const auto tenants = co_await ingest::read_tenants(connection, shared, config.secrets.keys);
  ingest::Sightings sightings(config.limits.last_webhook_interval);
  ingest::RerouteLimits limits;
  limits.is_rehearsal = options.is_rehearsal;
  ingest::Rerouter rerouter([tenants] { return tenants; }, sightings, limits);
  RerouteReport report;
  ProgressLine progress;
  const std::function<void(std::uint64_t rows)> show = [&](std::uint64_t rows) {
    progress.show({.what = "routing", .done = rows, .total = total, .unit = "rows"});
  };
  co_await rerouter.run(connection, options.filter, report, show);
  co_await sightings.flush(connection);
  progress.clear();
  print(report, options);
  co_return ExitCode::done;
}

}  // namespace

void add_reroute(Command quarantine) {
  Command command = quarantine.add_subcommand(
      "reroute", "Give to their accounts what has one now; all else stays as it is");
  const auto options = std::make_shared<Options>();
  add_filter(command, options->filter);
  command.add_flag("--dry-run", options->is_rehearsal, "Say what would go where, and change nothing");
  add_output(command, options->wants_json);
  command.footer(
      "The same that a delivery would do: an event that has come again meanwhile is not there twice. Run it\n"
      "with the gateway's settings (META_APP_SECRET, …): rows go only to accounts of the secret that signed "
      "them.\n"
      "Example:  socialsync quarantine reroute --routing-key 683178638221370 --dry-run\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 no database, or not migrated · "
      "4 somebody holds a lock, run it again");
  command.runs([options] {
    return on_database(options->wants_json,
                       [options](const config::Config& config, pg::Connection& connection) {
                         return reroute(*options, config, connection);
                       });
  });
}

}  // namespace socialsync::cli::quarantine
