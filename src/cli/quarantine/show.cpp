#include <cstdio>

#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/quarantine/commands.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::quarantine {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string id;
  bool is_raw = false;
};

void print_row(const store::QuarantinedBody& found) {
  const store::Quarantined& row = found.row;
  const std::vector<std::vector<std::string>> lines = {
      {"id", to_string(row.id)},         {"arrived", row.created_at},
      {"event time", row.event_time},    {"reason", row.reason},
      {"detail", printable(row.detail)}, {"platform", printable(row.platform)},
      {"type", printable(row.type)},     {"routing key", printable(row.routing_key)},
      {"signed by", row.signed_by},      {"bytes", std::to_string(row.bytes)}};
  const auto pretty = indented_json(found.body);
  fmt::print("{}\n{}\n", aligned(lines), printable(pretty ? *pretty : found.body, true));
}

asio::awaitable<int> show(const Options& options, pg::Connection& connection) {
  const std::vector<Uuid> ids = {*parse_uuid(options.id)};
  const std::vector<store::QuarantinedBody> found = co_await store::read_quarantined(connection, ids);
  if (found.empty())
    co_return complain(false, ExitCode::not_found, "not_found", "there is no row " + options.id);
  if (options.is_raw) {
    std::fwrite(found.front().body.data(), 1, found.front().body.size(), stdout);
  } else {
    print_row(found.front());
  }
  co_return ExitCode::done;
}

}  // namespace

void add_show(Command quarantine) {
  Command command = quarantine.add_subcommand("show", "All of one row, with its body");
  const auto options = std::make_shared<Options>();
  const auto no_uuid = [](const std::string& text) {
    return parse_uuid(text) ? std::string() : std::string("ID must be as list shows it");
  };
  command.add_option("ID", options->id, "As list shows it").required().check(no_uuid);
  command.add_flag("--raw", options->is_raw, "Only the body, byte for byte");
  command.footer(
      "Example:  socialsync quarantine show 0193… --raw | jq .\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 no database, or not migrated · "
      "9 no such row");
  command.runs([options] {
    return on_database(false, [options](const config::Config&, pg::Connection& connection) {
      return show(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::quarantine
