#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/quarantine/commands.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::quarantine {
namespace {

namespace json = boost::json;
namespace asio = boost::asio;

constexpr std::uint64_t batch_rows = 1000;

struct Options {
  store::QuarantineFilter filter;
  bool is_all = false;
  bool is_rehearsal = false;
  bool yes = false;
  bool wants_json = false;
};

asio::awaitable<std::uint64_t> remove(const store::QuarantineFilter& filter, std::uint64_t total,
                                      pg::Connection& connection) {
  ProgressLine progress;
  std::uint64_t removed = 0;
  std::optional<store::QuarantinePlace> after;  // what does not go is not asked for again
  for (;;) {
    const std::vector<store::QuarantinePlace> places =
        co_await store::find_quarantined(connection, filter, after, batch_rows);
    if (places.empty()) co_return removed;
    std::vector<Uuid> ids;
    for (const store::QuarantinePlace& place : places) ids.push_back(place.id);
    const std::vector<Uuid> gone = co_await store::delete_quarantined(connection, ids);
    removed += gone.size();
    after = places.back();
    progress.show({.what = "removing", .done = removed, .total = total, .unit = "rows"});
  }
}

void print_json(const std::vector<store::QuarantineCount>& counts, bool is_rehearsal, std::uint64_t removed) {
  json::object reasons;
  for (const store::QuarantineCount& count : counts) reasons[count.reason] = count.rows;
  fmt::print("{}\n", json::serialize(json::object{
                         {"v", 1}, {"dry_run", is_rehearsal}, {"matching", reasons}, {"removed", removed}}));
}

asio::awaitable<int> purge(const Options& options, pg::Connection& connection) {
  const std::vector<store::QuarantineCount> counts =
      co_await store::count_quarantined(connection, options.filter);
  std::uint64_t total = 0;
  for (const store::QuarantineCount& count : counts) total += count.rows;
  if (!options.wants_json && total > 0) print_counts(counts);
  std::uint64_t removed = 0;
  const bool asks = !options.is_rehearsal && total > 0;
  const std::string question = fmt::format("Remove {} rows for good?", readable_count(total));
  const bool goes_on = asks && confirmed(question, options.yes);
  if (goes_on) removed = co_await remove(options.filter, total, connection);
  if (options.wants_json) {
    print_json(counts, options.is_rehearsal, removed);
  } else if (total == 0) {
    fmt::print("Nothing is there that matches.\n");
  } else {
    fmt::print("{}\n", options.is_rehearsal ? fmt::format("Would remove {} rows.", readable_count(total))
                                            : fmt::format("Removed {} rows.", readable_count(removed)));
  }
  co_return ExitCode::done;
}

int run(const Options& options) {
  if (options.filter.is_everything() && !options.is_all)
    return complain(options.wants_json, ExitCode::usage_error, "wrong_usage",
                    "say which rows, by --reason, --until and so on, or --all");
  return on_database(options.wants_json, [&options](const config::Config&, pg::Connection& connection) {
    return purge(options, connection);
  });
}

}  // namespace

void add_purge(Command quarantine) {
  Command command = quarantine.add_subcommand("purge", "Remove rows for good");
  const auto options = std::make_shared<Options>();
  add_filter(command, options->filter);
  command.add_flag("--all", options->is_all, "Every row, where no filter says which");
  command.add_flag("--dry-run", options->is_rehearsal, "Say what would go, and change nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  add_output(command, options->wants_json);
  command.footer(
      "Example:  socialsync quarantine purge --reason not_json --until 2026-11-01 --yes\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 no database, or not migrated · "
      "4 somebody holds a lock, run it again");
  command.runs([options] { return run(*options); });
}

}  // namespace socialsync::cli::quarantine
