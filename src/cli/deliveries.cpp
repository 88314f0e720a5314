#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/deliveries/commands.hpp"
#include "cli/endpoints/commands.hpp"

namespace socialsync::cli {
namespace deliveries {
namespace {

std::string no_uuid(const std::string& text) {
  return parse_uuid(text) ? "" : "must be an id as list shows it: 00000000-0000-8000-8000-000000000000";
}

}  // namespace

const char* const exit_codes =
    "\nExit codes: 0 done, or answered no · 1 internal error · 2 wrong usage · 3 no database, or not "
    "migrated · "
    "4 somebody holds a lock, run it again · 9 no such event, endpoint or account";

void add_filter(Command command, Names& names) {
  command.add_option("--event", names.event, "Of this event: its id in webhook_logs")
      .check(no_uuid)
      .type_name("ID");
  command.add_option("--endpoint", names.endpoint, "To this endpoint: its id, or the first 8 digits")
      .check(endpoints::name_fault)
      .type_name("ENDPOINT");
  command.add_option("--account", names.account, "Of this account: its id, phone number id or page id")
      .type_name("ACCOUNT");
  command.add_option("--since", names.times.since, "From then on: '2026-11-22', '2026-11-22 14:30+01'")
      .type_name("TIME");
  command.add_option("--until", names.times.until, "Before").type_name("TIME");
}

boost::asio::awaitable<store::DeliveryFilter> filter_of(const Names& names, pg::Connection& connection) {
  store::DeliveryFilter filter = names.times;
  if (!names.event.empty()) filter.event = parse_uuid(names.event);
  if (!names.endpoint.empty()) {
    const store::EndpointRecord endpoint = co_await endpoints::the_endpoint(connection, names.endpoint);
    filter.endpoint = endpoint.id;
  }
  if (!names.account.empty()) filter.account = co_await endpoints::the_account_id(connection, names.account);
  co_return filter;
}

std::string state_of(const store::OutboxRow& row) {
  if (row.due_at.empty()) return "given up";
  if (!row.is_enabled) return "waits: its endpoint is disabled";
  return row.is_due ? "due now" : "waiting until " + row.due_at;
}

}  // namespace deliveries

void add_deliveries(Command app) {
  Command command = app.add_subcommand("deliveries", "What is on its way to endpoints, and how it went");
  command.require_subcommand();
  command.footer(
      "Examples:\n"
      "  socialsync deliveries list --status dead\n"
      "  socialsync deliveries show EVENT_ID\n"
      "  socialsync deliveries retry --endpoint 0b8c2f4e --yes");
  deliveries::add_list(command);
  deliveries::add_show(command);
  deliveries::add_retry(command);
  deliveries::add_cancel(command);
}

}  // namespace socialsync::cli
