#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "operate/account_check.hpp"
#include "operate/account_draft.hpp"
#include "operate/accounts.hpp"

namespace socialsync::cli {
namespace accounts {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using store::AccountColumn;
using store::AccountRecord;

struct ListOptions {
  store::AccountFilter filter{
      .name = {}, .platform = {}, .user = {}, .is_active = std::nullopt, .limit = 1000};
};

struct NameOption {
  std::string name;
};

json::value value_of(const AccountRecord& account, const AccountColumn& column) {
  const auto text_value = [&](const std::string& text) -> json::value {
    return column.is_list ? array_of(split_list(text)) : or_null(text);
  };
  const auto value = [&]<class T>(T AccountRecord::* member) -> json::value {
    const T& content = account.*member;
    if constexpr (std::is_same_v<T, Uuid>) return json::value(to_string(content));
    if constexpr (std::is_same_v<T, bool>) return content;
    if constexpr (std::is_same_v<T, std::string>) return text_value(content);
    if constexpr (std::is_same_v<T, std::optional<std::string>>)
      return content ? text_value(*content) : json::value();
  };
  return std::visit(value, column.member);
}

// The value as `show` prints it; empty when it is absent.
std::string text_of(const AccountRecord& account, const AccountColumn& column) {
  const auto text = [&]<class T>(T AccountRecord::* member) -> std::string {
    const T& content = account.*member;
    if constexpr (std::is_same_v<T, Uuid>) return to_string(content);
    if constexpr (std::is_same_v<T, bool>) return content ? column.if_true : "";
    if constexpr (std::is_same_v<T, std::string>) return content;
    if constexpr (std::is_same_v<T, std::optional<std::string>>) return content.value_or("");
  };
  return std::visit(text, column.member);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

void print_list(const std::vector<AccountRecord>& found, std::uint64_t limit) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PLATFORM", "KEY", "BUSINESS", "USER", "ACTIVE", "SECRET", "LAST WEBHOOK"}};
  for (const AccountRecord& account : found)
    rows.push_back({to_string(account.id), account.platform, or_dash(account.key()),
                    or_dash(account.business_name.empty() ? account.username : account.business_name),
                    or_dash(account.email), account.is_active ? "yes" : "no",
                    account.has_app_secret ? "own" : "shared", or_dash(account.last_webhook_at)});
  fmt::print("{}", found.empty() ? "no accounts\n" : aligned(rows));
  if (found.size() == limit) fmt::print("the newest {}; --limit shows more\n", limit);
}

asio::awaitable<Exit> list(const ListOptions& options, Context& context) {
  const std::vector<AccountRecord> found = co_await store::find_accounts(context.connection, options.filter);
  if (context.wants_json())
    print_json(
        {{"accounts", array_of(found, [](const auto& account) { return accounts::json_of(account); })}});
  else
    print_list(found, options.filter.limit);
  co_return Exit::done;
}

asio::awaitable<Exit> show(const NameOption& options, Context& context) {
  const AccountRecord account = co_await operate::find_account(context.connection, options.name);
  if (context.wants_json()) {
    print_json({{"account", accounts::json_of(account)}});
    co_return Exit::done;
  }
  for (const AccountColumn& column : store::account_columns()) {
    const std::string text = text_of(account, column);
    fmt::print("{:<21} {}\n", column.title ? column.title : column.name,
               text.empty() ? column.if_absent : printable(text));
  }
  co_return Exit::done;
}

json::object counts_of_rows(const std::vector<store::Count>& counts) { return counts_of(counts); }

void print_counts(const char* title, const std::vector<store::Count>& counts) {
  if (counts.empty()) return;
  std::string line;
  for (const store::Count& count : counts)
    line +=
        fmt::format("{}{} {}", line.empty() ? "" : ", ", readable_count(count.rows), printable(count.name));
  fmt::print("  {}: {}\n", title, line);
}

void print_finding(const operate::AccountFinding& finding) {
  const bool is_good = finding.faults.empty();
  fmt::print("{} {}\n",
             coloured(is_good ? Colour::green : Colour::red, is_good ? "gets its events" : "gets no events"),
             printable(operate::described(finding.account)));
  for (const std::string& fault : finding.faults)
    fmt::print("  {} {}\n", coloured(Colour::red, "fault:"), printable(fault));
  for (const std::string& note : finding.notes)
    fmt::print("  {} {}\n", coloured(Colour::yellow, "note:"), printable(note));
  if (!finding.account.last_webhook_at.empty())
    fmt::print("  last webhook: {}\n", finding.account.last_webhook_at);
  print_counts("events of the last day", finding.recent_events);
  print_counts("quarantined under its keys", finding.quarantined);
}

json::object json_of_finding(const operate::AccountFinding& finding) {
  return {{"account", accounts::json_of(finding.account)},
          {"gets_its_events", finding.faults.empty()},
          {"faults", array_of(finding.faults)},
          {"notes", array_of(finding.notes)},
          {"events_of_the_last_day", counts_of_rows(finding.recent_events)},
          {"in_quarantine", counts_of_rows(finding.quarantined)}};
}

asio::awaitable<Exit> check(const NameOption& options, Context& context) {
  const operate::AccountsChecked result =
      co_await operate::check_accounts(context.connection, options.name, context.config);
  std::size_t faulty = 0;
  for (const operate::AccountFinding& finding : result.findings) faulty += finding.faults.empty() ? 0 : 1;
  if (context.wants_json()) {
    print_json({{"checked", result.checked},
                {"faulty", faulty},
                {"findings", array_of(result.findings, json_of_finding)}});
  } else {
    for (const operate::AccountFinding& finding : result.findings) print_finding(finding);
    if (options.name.empty())
      fmt::print("{} of {} active accounts get their events\n", readable_count(result.checked - faulty),
                 readable_count(result.checked));
  }
  co_return faulty == 0 ? Exit::done : Exit::data_blocks;
}

void add_list(Command accounts) {
  Command command = accounts.add_subcommand("list", "List accounts, newest first");
  command.help({.examples = {"socialsync accounts list --inactive",
                             "socialsync accounts list --user owner@example.com --output json"}});
  const auto options = std::make_shared<ListOptions>();
  constexpr const char* platforms = "whatsapp, whatsapp_business, instagram or messenger";
  command
      .add_option_function(
          "--platform",
          [options](const std::string& word) { options->filter.platform = *operate::platform_label(word); },
          platforms)
      .check([](const std::string& word) { return operate::platform_label(word) ? "" : platforms; })
      .type_name("PLATFORM");
  command.add_option("--user", options->filter.user, "E-mail address or id").type_name("USER");
  Option active =
      command.add_flag("--active", [options] { options->filter.is_active = true; }, "Only active accounts");
  command.add_flag(
             "--inactive", [options] { options->filter.is_active = false; }, "Only inactive accounts")
      .excludes(active);
  command.add_option("--limit", options->filter.limit, "Most rows to list (default 1000)")
      .between(1, 1'000'000'000);
  on_database(command, options, list);
}

void add_show(Command accounts) {
  Command command = accounts.add_subcommand("show", "Show all columns of an account, without its secrets");
  command.help({.examples = {"socialsync accounts show 683178638221369"},
                .exits = {{Exit::not_found, "account not found, or several match"}}});
  const auto options = std::make_shared<NameOption>();
  add_account_name(command, options->name, true);
  on_database(command, options, show);
}

void add_check(Command accounts) {
  Command command = accounts.add_subcommand("check", "Check that accounts receive their events");
  command.help(
      {.notes =
           "Judges as serve would with the same environment, whose secrets are used for accounts without "
           "their own. Without ACCOUNT, checks all active accounts and prints those that receive no events.",
       .examples = {"socialsync accounts check 683178638221369", "socialsync accounts check --output json"},
       .exits = {{Exit::not_found, "account not found, or an account receives no events"}}});
  const auto options = std::make_shared<NameOption>();
  add_account_name(command, options->name, false);
  on_database(command, options, check);
}

}  // namespace

void add_readers(Command accounts) {
  add_list(accounts);
  add_show(accounts);
  add_check(accounts);
}

void add_account_name(Command command, std::string& name, bool is_required) {
  const auto fault = [](const std::string& word) { return std::string(word.empty() ? "is empty" : ""); };
  command.add_option("ACCOUNT", name, "Its id, phone number id, page id, account id or phone number")
      .required(is_required)
      .check(fault);
}

json::object json_of(const AccountRecord& account) {
  json::object object;
  for (const AccountColumn& column : store::account_columns())
    object[column.name] = value_of(account, column);
  return object;
}

}  // namespace accounts

void add_accounts(Command app) {
  Command command = app.add_subcommand("accounts", "List, add, change and check the accounts of tenants");
  command.help({.notes = "ACCOUNT is an id, phone number id, page id, account id or phone number."});
  accounts::add_readers(command);
  accounts::add_writers(command);
}

}  // namespace socialsync::cli
