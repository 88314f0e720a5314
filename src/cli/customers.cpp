#include <memory>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "operate/customer_search.hpp"

namespace socialsync::cli {
namespace customers {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct EraseOptions {
  std::string account;
  std::string customer;
  bool is_preview = false;
  bool yes = false;
};

struct Erasure {
  store::CustomersAccount account;
  std::set<std::string> identifiers;
  operate::CustomerData found;
  operate::ErasedCustomer erased;
};

json::object json_of(const operate::KeptRow& row) {
  return {{"table", row.is_quarantined ? "webhook_quarantine" : "webhook_logs"},
          {"id", to_string(row.id)},
          {"why", row.why}};
}

void print_document(const Erasure& erasure, bool is_preview) {
  print_json(
      {{"dry_run", is_preview},
       {"account", to_string(erasure.account.id)},
       {"identifiers", json::array(erasure.identifiers.begin(), erasure.identifiers.end())},
       {"events", counts_of(erasure.found.events)},
       {"quarantined", counts_of(erasure.found.quarantined)},
       {"removed",
        {{"events", erasure.erased.events},
         {"identity_keys", erasure.erased.identity_keys},
         {"quarantined", erasure.erased.quarantined},
         {"deliveries", erasure.erased.deliveries},
         {"attempts", erasure.erased.attempts}}},
       {"left", array_of(erasure.found.kept, [](const operate::KeptRow& row) { return json_of(row); })},
       {"left_count", erasure.found.kept_count}});
}

void print_found(const Erasure& erasure) {
  const operate::CustomerData& found = erasure.found;
  fmt::print("account {} ({}, {})\nidentifiers: {}\n", to_string(erasure.account.id),
             printable(erasure.account.name), erasure.account.platform,
             printable(fmt::format("{}", fmt::join(erasure.identifiers, ", "))));
  std::vector<std::vector<std::string>> lines;
  for (const auto& [type, count] : found.events)
    lines.push_back({"  events", printable(type), readable_count(count)});
  for (const auto& [reason, count] : found.quarantined)
    lines.push_back({"  quarantine", reason, readable_count(count)});
  for (const operate::KeptRow& row : found.kept)
    lines.push_back({"  kept", row.is_quarantined ? "quarantine" : "event",
                     to_string(row.id) + (row.why == "mentioned" ? "  of others, names the person"
                                                                 : "  of the person and others")});
  fmt::print("{}", aligned(lines));
  if (found.kept_count > found.kept.size())
    fmt::print("  and {} more that are kept\n", readable_count(found.kept_count - found.kept.size()));
}

void print_end(const Erasure& erasure, bool is_preview) {
  const operate::CustomerData& found = erasure.found;
  const operate::ErasedCustomer& erased = erasure.erased;
  if (found.count() == 0) {
    fmt::print("No data of this person found.\n");
  } else if (is_preview) {
    fmt::print("Would erase {} events and {} quarantined rows.\n", readable_count(found.event_count()),
               readable_count(found.quarantined_count()));
  } else {
    fmt::print(
        "Erased {} events, {} identities of events and {} quarantined rows.\n"
        "Their {} deliveries and {} attempts were erased too.\n",
        readable_count(erased.events), readable_count(erased.identity_keys),
        readable_count(erased.quarantined), readable_count(erased.deliveries),
        readable_count(erased.attempts));
  }
}

asio::awaitable<operate::CustomerData> find(operate::CustomerSearch& search) {
  ProgressLine progress;
  const auto show = [&progress](std::uint64_t rows) {
    progress.show({.what = "searching", .note = readable_count(rows) + " rows"});
  };
  operate::CustomerData found = co_await search.learn(show);
  co_return found;
}

asio::awaitable<operate::ErasedCustomer> erase_found(operate::CustomerSearch& search, std::uint64_t total) {
  ProgressLine progress;
  const auto show = [&progress, total](std::uint64_t rows) {
    progress.show({.what = "erasing", .done = rows, .total = total, .unit = "rows"});
  };
  const operate::ErasedCustomer erased = co_await search.erase(show);
  co_return erased;
}

asio::awaitable<Exit> erase(const EraseOptions& options, Context& context) {
  Erasure erasure;
  erasure.account = co_await operate::find_customers_account(context.connection, options.account);
  operate::CustomerSearch search(context.connection, erasure.account, options.customer);
  erasure.found = co_await find(search);
  erasure.identifiers = search.identifiers();
  if (!context.wants_json()) print_found(erasure);
  const std::uint64_t total = erasure.found.count();
  const bool asks = !options.is_preview && total > 0;
  const bool is_confirmed = asks && confirmed("Erase this permanently?", options.yes);
  if (is_confirmed) erasure.erased = co_await erase_found(search, total);
  if (context.wants_json())
    print_document(erasure, options.is_preview);
  else if (!asks || is_confirmed)
    print_end(erasure, options.is_preview);
  co_return Exit::done;
}

void add_erase(Command customers) {
  Command command = customers.add_subcommand("erase", "Erase all data of one person under an account");
  command.help(
      {.notes = "Searches the rows for further identifiers of the person (a phone number's BSUID) and erases "
                "their data too. Rows that name the person but belong to others too (a reply in a group, a "
                "history of several people) are kept and listed.",
       .examples = {"socialsync customers erase --account 683178638221369 --customer 33765540003 --dry-run"},
       .exits = {{Exit::done, "done, or not confirmed"},
                 {Exit::not_found, "account not found, or several match"}}});
  const auto options = std::make_shared<EraseOptions>();
  command.add_option("--account", options->account, "Its id, phone number id or page id")
      .required()
      .type_name("ACCOUNT");
  command
      .add_option("--customer", options->customer,
                  "The person's phone number, BSUID, or Instagram- or page-scoped id")
      .required()
      .type_name("ID");
  command.add_flag("--dry-run", options->is_preview, "Print the data without erasing it");
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  on_database(command, options, erase);
}

}  // namespace
}  // namespace customers

void add_customers(Command app) {
  Command command = app.add_subcommand("customers", "Erase the data of people who write to tenants");
  customers::add_erase(command);
}

}  // namespace socialsync::cli
