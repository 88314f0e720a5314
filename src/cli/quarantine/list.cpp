#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/quarantine/commands.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::quarantine {
namespace {

namespace json = boost::json;
namespace asio = boost::asio;

struct Options {
  store::QuarantineFilter filter;
  std::uint64_t rows_max = 50;
  bool is_summary = false;
  bool wants_json = false;
};

json::object object_of(const store::Quarantined& row) {
  return {{"id", to_string(row.id)},  {"created_at", row.created_at}, {"reason", row.reason},
          {"platform", row.platform}, {"webhook_type", row.type},     {"routing_key", row.routing_key},
          {"detail", row.detail},     {"signed_by", row.signed_by},   {"event_time", row.event_time},
          {"bytes", row.bytes}};
}

json::object object_of(const store::QuarantineCount& count) {
  return {{"reason", count.reason},
          {"rows", count.rows},
          {"bytes", count.bytes},
          {"oldest", count.oldest},
          {"newest", count.newest}};
}

template <class Rows>
json::array array_of(const Rows& rows) {
  json::array all;
  for (const auto& row : rows) all.push_back(object_of(row));
  return all;
}

void print_rows(const std::vector<store::Quarantined>& found) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "TIME", "REASON", "PLATFORM", "TYPE", "ROUTING KEY", "DETAIL"}};
  for (const store::Quarantined& row : found)
    rows.push_back({to_string(row.id), row.created_at, row.reason, printable(row.platform),
                    printable(row.type), printable(row.routing_key), printable(row.detail)});
  if (!found.empty()) fmt::print("{}\n", aligned(rows));
}

asio::awaitable<int> list(const Options& options, pg::Connection& connection) {
  std::vector<store::Quarantined> found;
  if (!options.is_summary)
    found = co_await store::list_quarantined(connection, options.filter, options.rows_max);
  const std::vector<store::QuarantineCount> counts =
      co_await store::count_quarantined(connection, options.filter);
  if (options.wants_json) {
    json::object answer{{"v", 1}};
    if (!options.is_summary) answer["rows"] = array_of(found);
    answer["summary"] = array_of(counts);
    fmt::print("{}\n", json::serialize(answer));
    co_return ExitCode::done;
  }
  print_rows(found);
  if (counts.empty()) {
    fmt::print("Nothing is there{}.\n", options.filter.is_everything() ? "" : " that matches");
  } else {
    print_counts(counts);
  }
  co_return ExitCode::done;
}

}  // namespace

void add_list(Command quarantine) {
  Command command = quarantine.add_subcommand("list", "The newest rows, and how many there are by reason");
  const auto options = std::make_shared<Options>();
  add_filter(command, options->filter);
  command.add_option("--limit", options->rows_max, "Rows to show").between(1, 100'000).shows_default();
  command.add_flag("--summary", options->is_summary, "Only how many there are");
  add_output(command, options->wants_json);
  command.footer(
      "Example:  socialsync quarantine list --reason unknown_account --since 2026-11-22\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 no database, or not migrated · "
      "4 somebody holds a lock, run it again");
  command.runs([options] {
    return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
      return list(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::quarantine
