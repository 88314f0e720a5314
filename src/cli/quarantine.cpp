#include "store/quarantine.hpp"

#include <cstdio>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "base/uuid.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "ingest/reroute.hpp"

namespace socialsync::cli {
namespace quarantine {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ingest::RerouteReport;
using store::QuarantineCount;
using store::Quarantined;

constexpr std::uint64_t purge_batch_rows = 1'000;

struct ListOptions {
  store::QuarantineFilter filter;
  std::uint64_t rows_max = 50;
  bool is_summary = false;
};

struct ShowOptions {
  std::string id;
  bool is_raw = false;
};

struct RerouteOptions {
  store::QuarantineFilter filter;
  bool is_preview = false;
};

struct PurgeOptions {
  store::QuarantineFilter filter;
  bool is_all = false;
  bool is_preview = false;
  bool yes = false;

  void check() const {
    if (filter.is_everything() && !is_all)
      throw Failure(Exit::wrong_usage, "give a filter such as --reason or --until, or --all");
  }
};

// Labels of webhook_quarantine.platform; a row that the database refused has its account's label.
const std::map<std::string, std::vector<std::string>> platform_labels = {
    {"whatsapp", {"whatsapp", "whatsapp_business"}},
    {"instagram", {"instagram"}},
    {"messenger", {"messenger", "facebook"}}};

std::string id_fault(const std::string& text) {
  return parse_uuid(text) ? "" : "must be an id as list shows it: 00000000-0000-8000-8000-000000000000";
}

json::object json_of(const Quarantined& row) {
  return {{"id", to_string(row.id)},
          {"created_at", row.created_at},
          {"reason", row.reason},
          {"platform", or_null(row.platform)},
          {"webhook_type", or_null(row.type)},
          {"routing_key", or_null(row.routing_key)},
          {"detail", or_null(row.detail)},
          {"signed_by", or_null(row.signed_by)},
          {"event_time", or_null(row.event_time)},
          {"bytes", row.bytes}};
}

json::object json_of(const QuarantineCount& count) {
  return {{"reason", count.reason},
          {"rows", count.rows},
          {"bytes", count.bytes},
          {"oldest", count.oldest},
          {"newest", count.newest}};
}

template <class Row>
json::array json_list(const std::vector<Row>& rows) {
  return array_of(rows, [](const Row& row) { return quarantine::json_of(row); });
}

void print_rows(const std::vector<Quarantined>& found) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "TIME", "REASON", "PLATFORM", "TYPE", "ROUTING KEY", "DETAIL"}};
  for (const Quarantined& row : found)
    rows.push_back({to_string(row.id), row.created_at, row.reason, printable(row.platform),
                    printable(row.type), printable(row.routing_key), printable(row.detail)});
  if (!found.empty()) fmt::print("{}\n", aligned(rows));
}

void print_counts(const std::vector<QuarantineCount>& counts) {
  std::vector<std::vector<std::string>> rows = {{"REASON", "ROWS", "BODIES", "OLDEST", "NEWEST"}};
  for (const QuarantineCount& count : counts)
    rows.push_back(
        {count.reason, readable_count(count.rows), readable_bytes(count.bytes), count.oldest, count.newest});
  fmt::print("{}", aligned(rows));
}

std::uint64_t sum(const std::vector<QuarantineCount>& counts) {
  std::uint64_t rows = 0;
  for (const QuarantineCount& count : counts) rows += count.rows;
  return rows;
}

asio::awaitable<Exit> list(const ListOptions& options, Context& context) {
  std::vector<Quarantined> found;
  if (!options.is_summary)
    found = co_await store::list_quarantined(context.connection, options.filter, options.rows_max);
  const std::vector<QuarantineCount> counts =
      co_await store::count_quarantined(context.connection, options.filter);
  if (context.wants_json()) {
    json::object answer;
    if (!options.is_summary) answer["rows"] = json_list(found);
    answer["summary"] = json_list(counts);
    print_json(std::move(answer));
    co_return Exit::done;
  }
  print_rows(found);
  if (counts.empty())
    fmt::print("no rows{}\n", options.filter.is_everything() ? "" : " match");
  else
    print_counts(counts);
  co_return Exit::done;
}

void print_row(const store::QuarantinedBody& found) {
  const Quarantined& row = found.row;
  fmt::print("{}\n", aligned({{"id", to_string(row.id)},
                              {"arrived", row.created_at},
                              {"event time", row.event_time},
                              {"reason", row.reason},
                              {"detail", printable(row.detail)},
                              {"platform", printable(row.platform)},
                              {"type", printable(row.type)},
                              {"routing key", printable(row.routing_key)},
                              {"signed by", row.signed_by},
                              {"bytes", std::to_string(row.bytes)}}));
  const auto pretty = indented_json(found.body);
  fmt::print("{}\n", printable(pretty ? *pretty : found.body, true));
}

asio::awaitable<Exit> show(const ShowOptions& options, Context& context) {
  const std::vector<Uuid> ids = {*parse_uuid(options.id)};
  const std::vector<store::QuarantinedBody> found = co_await store::read_quarantined(context.connection, ids);
  if (found.empty()) throw Failure(Exit::not_found, fmt::format("row {} not found", options.id), "not_found");
  const std::string& body = found.front().body;
  if (options.is_raw) {
    std::fwrite(body.data(), 1, body.size(), stdout);
  } else if (context.wants_json()) {
    json::object row = quarantine::json_of(found.front().row);
    row["body"] = printable(body, true);
    print_json({{"row", std::move(row)}});
  } else {
    print_row(found.front());
  }
  co_return Exit::done;
}

const char* meaning_of(const std::string& reason) {
  static const std::map<std::string, const char*> meanings = {
      {"unknown_account", "no account has that routing key"},
      {"inactive_account", "the account is inactive"},
      {"ambiguous_account", "accounts of several users have that routing key"},
      {"secret_mismatch", "not signed with a secret of that account"},
      {"too_many_events", "the first events were logged, the others exceed the limit"},
      {"rejected_by_database", "the database refuses the row"},
      {"unsigned", "received on a test route, unsigned"},
      {"unknown_secret", "the secret that signed it is not configured here"},
      {"no_event", "it holds no event"},
      {"locked", "a lock is held: run this again"}};
  const auto found = meanings.find(reason);
  return found == meanings.end() ? "cannot be read" : found->second;
}

json::object json_of(const RerouteReport::OfReason& of) {
  json::object accounts;
  for (const auto& [account, events] : of.accounts)
    accounts[account == Uuid() ? "app" : to_string(account)] = events;
  return {{"rows", of.rows},     {"moved", of.moved},           {"taken_by_others", of.gone},
          {"events", of.events}, {"duplicates", of.duplicates}, {"stays", counts_of(of.stays)},
          {"accounts", accounts}};
}

void print_reason(const std::string& reason, const RerouteReport::OfReason& of, bool is_preview) {
  fmt::print("{}: {} row{}\n", reason, readable_count(of.rows), of.rows == 1 ? "" : "s");
  std::vector<std::vector<std::string>> lines;
  const std::string duplicates =
      of.duplicates > 0 ? fmt::format(", {} already logged", readable_count(of.duplicates)) : "";
  if (of.moved > 0)
    lines.push_back({is_preview ? "  would move" : "  moved", readable_count(of.moved),
                     fmt::format("{} events{}", readable_count(of.events), duplicates)});
  for (const auto& [account, events] : of.accounts)
    lines.push_back({"    to", readable_count(events),
                     account == Uuid() ? "the app's own" : "account " + to_string(account)});
  if (of.gone > 0) lines.push_back({"  skipped", readable_count(of.gone), "moved by another process"});
  for (const auto& [why, rows] : of.stays)
    lines.push_back({is_preview ? "  would stay" : "  stays", readable_count(rows),
                     fmt::format("{}: {}", why, meaning_of(why))});
  fmt::print("{}", aligned(lines));
}

void print_report(const RerouteReport& report, const RerouteOptions& options, const Context& context) {
  if (context.wants_json()) {
    json::object reasons;
    for (const auto& [reason, of] : report.reasons) reasons[reason] = quarantine::json_of(of);
    print_json({{"dry_run", options.is_preview}, {"reasons", reasons}});
    return;
  }
  for (const auto& [reason, of] : report.reasons) print_reason(reason, of, options.is_preview);
  if (report.reasons.empty()) fmt::print("no rows match\n");
}

asio::awaitable<Exit> reroute(const RerouteOptions& options, Context& context) {
  const config::Config& config = context.config;
  const std::vector<QuarantineCount> counts =
      co_await store::count_quarantined(context.connection, options.filter);
  const route::SharedSecrets shared{config.whatsapp.app_secrets, config.instagram.app_secrets,
                                    config.messenger.app_secrets};
  const auto tenants = co_await ingest::read_tenants(context.connection, shared, config.secrets.keys);
  ingest::Sightings sightings(config.limits.last_webhook_interval);
  ingest::RerouteLimits limits;
  limits.is_rehearsal = options.is_preview;
  ingest::Rerouter rerouter([tenants] { return tenants; }, sightings, limits);
  RerouteReport report;
  ProgressLine progress;
  const std::function<void(std::uint64_t rows)> show_rows = [&](std::uint64_t rows) {
    progress.show({.what = "routing", .done = rows, .total = sum(counts), .unit = "rows"});
  };
  co_await rerouter.run(context.connection, options.filter, report, show_rows);
  co_await sightings.flush(context.connection);
  progress.clear();
  print_report(report, options, context);
  co_return Exit::done;
}

// A row that another process has deleted is skipped.
asio::awaitable<std::uint64_t> remove(const store::QuarantineFilter& filter, std::uint64_t total,
                                      pg::Connection& connection) {
  ProgressLine progress;
  std::uint64_t removed = 0;
  std::optional<store::QuarantinePlace> after;
  for (;;) {
    const std::vector<store::QuarantinePlace> places =
        co_await store::find_quarantined(connection, filter, after, purge_batch_rows);
    if (places.empty()) co_return removed;
    std::vector<Uuid> ids;
    for (const store::QuarantinePlace& place : places) ids.push_back(place.id);
    const std::vector<Uuid> gone = co_await store::delete_quarantined(connection, ids);
    removed += gone.size();
    after = places.back();
    progress.show({.what = "removing", .done = removed, .total = total, .unit = "rows"});
  }
}

asio::awaitable<Exit> purge(const PurgeOptions& options, Context& context) {
  const std::vector<QuarantineCount> counts =
      co_await store::count_quarantined(context.connection, options.filter);
  const std::uint64_t total = sum(counts);
  if (!context.wants_json() && total > 0) print_counts(counts);
  const std::string question = fmt::format("Remove {} rows for good?", readable_count(total));
  std::uint64_t removed = 0;
  const bool is_confirmed = !options.is_preview && total > 0 && confirmed(question, options.yes);
  if (is_confirmed) removed = co_await remove(options.filter, total, context.connection);
  if (context.wants_json()) {
    json::object matching;
    for (const QuarantineCount& count : counts) matching[count.reason] = count.rows;
    print_json({{"dry_run", options.is_preview}, {"matching", matching}, {"removed", removed}});
  } else if (total == 0) {
    fmt::print("no rows match\n");
  } else {
    fmt::print("{}\n", options.is_preview ? fmt::format("Would remove {} rows.", readable_count(total))
                                          : fmt::format("Removed {} rows.", readable_count(removed)));
  }
  co_return Exit::done;
}

void add_filter(Command command, store::QuarantineFilter& filter) {
  const std::vector<std::string> reasons(store::quarantine_reasons.begin(), store::quarantine_reasons.end());
  std::vector<std::string> platforms;
  for (const auto& [name, labels] : platform_labels) platforms.push_back(name);
  command.add_option("--reason", filter.reasons, "Quarantined for this reason; repeatable")
      .one_of(reasons, false)
      .type_name("REASON");
  command
      .add_option_function(
          "--platform", [&filter](const std::string& name) { filter.platforms = platform_labels.at(name); },
          "whatsapp, instagram or messenger")
      .one_of(platforms, false)
      .type_name("PLATFORM");
  command
      .add_option("--routing-key", filter.routing_keys,
                  "Phone number id, WABA id, Instagram account id or Page id; repeatable")
      .type_name("KEY");
  command.add_option("--since", filter.since, "Received at or after: '2026-11-22', '2026-11-22 14:30+01'")
      .type_name("TIME");
  command.add_option("--until", filter.until, "Received before").type_name("TIME");
  command
      .add_option_function(
          "--id", [&filter](const std::string& id) { filter.ids.push_back(*parse_uuid(id)); },
          "This row; repeatable")
      .check(id_fault)
      .type_name("ID")
      .repeated();
}

void add_list(Command quarantine) {
  Command command = quarantine.add_subcommand("list", "List the newest rows, and count all by reason");
  const auto options = std::make_shared<ListOptions>();
  add_filter(command, options->filter);
  command.add_option("--limit", options->rows_max, "Rows to show").between(1, 100'000).shows_default();
  command.add_flag("--summary", options->is_summary, "The counts only");
  command.help({.examples = {"socialsync quarantine list --reason unknown_account --since 2026-11-22"}});
  on_database(command, options, list);
}

void add_show(Command quarantine) {
  Command command = quarantine.add_subcommand("show", "Show a row with its body");
  const auto options = std::make_shared<ShowOptions>();
  command.add_option("ID", options->id, "Its id, as list shows it").required().check(id_fault);
  command.add_flag("--raw", options->is_raw, "The body only, byte for byte");
  command.help({.examples = {"socialsync quarantine show 0193… --raw | jq ."},
                .exits = {{Exit::not_found, "row not found"}}});
  on_database(command, options, show);
}

void add_reroute(Command quarantine) {
  Command command =
      quarantine.add_subcommand("reroute", "Route rows again, and log the events that have an account now");
  const auto options = std::make_shared<RerouteOptions>();
  add_filter(command, options->filter);
  command.add_flag("--dry-run", options->is_preview, "Report the result and change nothing");
  command.help(
      {.notes =
           "Events are deduplicated as on delivery. Use the gateway's settings (META_APP_SECRET, …): a row "
           "is given only to an account with the secret that signed it.",
       .examples = {"socialsync quarantine reroute --routing-key 683178638221370 --dry-run"}});
  on_database(command, options, reroute);
}

void add_purge(Command quarantine) {
  Command command = quarantine.add_subcommand("purge", "Delete rows for good");
  const auto options = std::make_shared<PurgeOptions>();
  add_filter(command, options->filter);
  command.add_flag("--all", options->is_all, "All rows, where no filter is given");
  command.add_flag("--dry-run", options->is_preview, "Count the rows and change nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  command.help({.examples = {"socialsync quarantine purge --reason not_json --until 2026-11-01 --yes"},
                .exits = {{Exit::done, "done, or answered no"}}});
  on_database(command, options, purge);
}

}  // namespace
}  // namespace quarantine

void add_quarantine(Command app) {
  const Command command =
      app.add_subcommand("quarantine", "Inspect, reroute and delete unroutable signed webhooks");
  quarantine::add_list(command);
  quarantine::add_show(command);
  quarantine::add_reroute(command);
  quarantine::add_purge(command);
}

}  // namespace socialsync::cli
