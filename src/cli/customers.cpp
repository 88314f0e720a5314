#include <algorithm>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/customers/search.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "store/quarantine.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using customers::Found;

struct Options {
  std::string account;
  std::string customer;
  bool is_rehearsal = false;
  bool yes = false;
  bool wants_json = false;
};

struct Removed {
  std::uint64_t events = 0;
  std::uint64_t identity_keys = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t attempts = 0;
};

json::object object_of(const std::map<std::string, std::uint64_t>& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

void print_json(const store::CustomersAccount& account, const std::set<std::string>& identifiers,
                const Found& found, const Removed& removed, bool is_rehearsal) {
  json::array left;
  for (const customers::LeftRow& row : found.left)
    left.push_back({{"table", row.is_quarantined ? "webhook_quarantine" : "webhook_logs"},
                    {"id", to_string(row.id)},
                    {"why", row.why}});
  const json::object answer{{"v", 1},
                            {"dry_run", is_rehearsal},
                            {"account", to_string(account.id)},
                            {"identifiers", json::array(identifiers.begin(), identifiers.end())},
                            {"events", object_of(found.events)},
                            {"quarantined", object_of(found.quarantined)},
                            {"removed",
                             {{"events", removed.events},
                              {"identity_keys", removed.identity_keys},
                              {"quarantined", removed.quarantined},
                              {"deliveries", removed.deliveries},
                              {"attempts", removed.attempts}}},
                            {"left", left},
                            {"left_count", found.left_count}};
  fmt::print("{}\n", json::serialize(answer));
}

void print_found(const store::CustomersAccount& account, const std::set<std::string>& identifiers,
                 const Found& found) {
  fmt::print("account {} ({}, {})\ngoes by: {}\n", to_string(account.id), printable(account.name),
             account.platform, printable(fmt::format("{}", fmt::join(identifiers, ", "))));
  std::vector<std::vector<std::string>> lines;
  for (const auto& [type, count] : found.events)
    lines.push_back({"  events", printable(type), readable_count(count)});
  for (const auto& [reason, count] : found.quarantined)
    lines.push_back({"  quarantine", reason, readable_count(count)});
  for (const customers::LeftRow& row : found.left)
    lines.push_back(
        {"  stays", row.is_quarantined ? "quarantine" : "event",
         to_string(row.id) + (row.why == "mentioned" ? "  of others, names them" : "  theirs and others'")});
  fmt::print("{}", aligned(lines));
  if (found.left_count > found.left.size())
    fmt::print("  and {} more that stay\n", readable_count(found.left_count - found.left.size()));
}

asio::awaitable<Removed> remove(customers::Search& search, const store::CustomersAccount& account,
                                const Found& before, pg::Connection& connection) {
  Removed removed;
  ProgressLine progress;
  const std::uint64_t total = before.event_count() + before.quarantined_count();
  const auto show = [&] {
    progress.show(
        {.what = "erasing", .done = removed.events + removed.quarantined, .total = total, .unit = "rows"});
  };
  const customers::Search::Take events = [&](std::vector<Uuid> ids) -> asio::awaitable<void> {
    const store::ErasedEvents erased = co_await store::erase_events(connection, account.id, ids);
    removed.events += erased.events;
    removed.identity_keys += erased.identity_keys;
    removed.deliveries += erased.deliveries;
    removed.attempts += erased.attempts;
    show();
  };
  const customers::Search::Take quarantined = [&](std::vector<Uuid> ids) -> asio::awaitable<void> {
    const std::vector<Uuid> gone = co_await store::delete_quarantined(connection, ids);
    removed.quarantined += gone.size();
    show();
  };
  co_await search.run(events, quarantined);
  co_return removed;
}

void print_end(const Options& options, const Found& found, const Removed& removed) {
  if (found.event_count() + found.quarantined_count() == 0) {
    fmt::print("Nothing of theirs is there.\n");
  } else if (options.is_rehearsal) {
    fmt::print("Would erase {} events and {} rows of quarantine.\n", readable_count(found.event_count()),
               readable_count(found.quarantined_count()));
  } else {
    fmt::print("Erased {} events, {} identities of events and {} rows of quarantine.\n",
               readable_count(removed.events), readable_count(removed.identity_keys),
               readable_count(removed.quarantined));
    fmt::print("With them went {} deliveries and {} attempts.\n", readable_count(removed.deliveries),
               readable_count(removed.attempts));
  }
}

int refuse_business(bool wants_json) {
  return complain(wants_json, ExitCode::usage_error, "wrong_usage",
                  "--customer is the account itself: its removal is another command's");
}

asio::awaitable<int> erase_of(const Options& options, const store::CustomersAccount& account,
                              pg::Connection& connection) {
  const std::string customer = parse::comparable(options.customer);
  if (customer == account.number || std::ranges::find(account.keys, customer) != account.keys.end())
    co_return refuse_business(options.wants_json);
  customers::Search search(connection, account, customer);
  ProgressLine progress;
  search.on_progress([&progress](std::uint64_t rows) {
    progress.show({.what = "searching", .note = readable_count(rows) + " rows"});
  });
  const Found found = co_await search.learn();
  search.on_progress({});
  progress.clear();
  if (search.is_business()) co_return refuse_business(options.wants_json);
  if (!options.wants_json) print_found(account, search.identifiers(), found);
  Removed removed;
  const bool asks = !options.is_rehearsal && found.event_count() + found.quarantined_count() > 0;
  const bool goes_on = asks && confirmed("Erase this for good?", options.yes);
  if (goes_on) removed = co_await remove(search, account, found, connection);
  if (options.wants_json) {
    print_json(account, search.identifiers(), found, removed, options.is_rehearsal);
  } else if (!asks || goes_on) {
    print_end(options, found, removed);
  }
  co_return ExitCode::done;
}

asio::awaitable<int> erase(const Options& options, pg::Connection& connection) {
  const std::vector<store::CustomersAccount> accounts =
      co_await store::find_customers_accounts(connection, options.account);
  if (accounts.empty())
    co_return complain(options.wants_json, ExitCode::not_found, "not_found",
                       "no account has this id, phone number id or page id: " + printable(options.account));
  if (accounts.size() > 1)
    co_return complain(options.wants_json, ExitCode::not_found, "not_found",
                       "several accounts go by that: say which, by its id");
  const int code = co_await erase_of(options, accounts.front(), connection);
  co_return code;
}

int run(const Options& options) {
  constexpr std::size_t identifier_characters_min = 4;
  if (parse::comparable(options.customer).size() < identifier_characters_min)
    return complain(options.wants_json, ExitCode::usage_error, "wrong_usage",
                    "--customer must be a whole phone number, BSUID or scoped id");
  return on_database(options.wants_json, [&options](const config::Config&, pg::Connection& connection) {
    return erase(options, connection);
  });
}

}  // namespace

void add_customers(Command app) {
  Command parent = app.add_subcommand("customers", "The people who write to the tenants");
  parent.require_subcommand();
  Command command = parent.add_subcommand("erase", "Remove all that is kept of one person for an account");
  const auto options = std::make_shared<Options>();
  command.add_option("--account", options->account, "Its id, phone number id or page id")
      .required()
      .type_name("ACCOUNT");
  command
      .add_option("--customer", options->customer,
                  "The person's phone number, BSUID, or Instagram or Page scoped id")
      .required()
      .type_name("ID");
  command.add_flag("--dry-run", options->is_rehearsal, "Say what would go, and change nothing");
  command.add_flag("--yes", options->yes, "Do not ask");
  add_output(command, options->wants_json);
  command.footer(
      "Finds what else the person goes by (a phone number's BSUID) in the rows, and erases that too. Rows\n"
      "that name them but are others' too (a reply in a group, a history of several) stay, and are listed.\n"
      "Example:  socialsync customers erase --account 683178638221369 --customer 33765540003 --dry-run\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 no database, or not migrated · 4 a row "
      "stayed locked, run it again · 9 no such account, or several");
  command.runs([options] { return run(*options); });
}

}  // namespace socialsync::cli
