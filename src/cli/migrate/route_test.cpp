#include <cstdio>
#include <map>
#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/migrate/route_trace.hpp"
#include "cli/text/terminal.hpp"
#include "pg/session.hpp"
#include "pg/sqlstate.hpp"
#include "store/accounts.hpp"

namespace socialsync::cli::migration {
namespace {

struct Options {
  Common common;
  RouteQuestion question;
  bool has_key = false;
};

// What a person wants to read of an account beside what the gateway knows.
struct Details {
  std::string email;  // empty where this role may not read users
  std::string business_name;
  std::string webhook_status;
};

constexpr const char* select_details =
    "SELECT business_name, webhook_status FROM public.social_accounts WHERE id = $1::uuid";
constexpr const char* select_email = "SELECT email FROM public.users WHERE id = $1::uuid";

Details details_of(pg::Session& session, const model::Account& account) {
  Details details;
  const pg::ResultSet rows = session.query(select_details, {to_string(account.id)});
  if (rows.rows() > 0) {
    details.business_name = rows.text(0, 0);
    details.webhook_status = rows.text(0, 1);
  }
  try {
    const pg::ResultSet user = session.query(select_email, {to_string(account.user_id)});
    if (user.rows() > 0) details.email = user.text(0, 0);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::insufficient_privilege) throw;
  }
  return details;
}

std::vector<model::Account> load_accounts(const config::Config& config) {
  std::vector<model::Account> accounts;
  ask_database(config, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    const pg::ResultSet rows = co_await store::select_accounts(connection);
    accounts = store::read_accounts(rows, config.secrets.keys).accounts;
  });
  return accounts;
}

int print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return static_cast<int>(Exit::done);
}

std::string account_as_text(const RouteCandidate& candidate, const Details& details) {
  const model::Account& account = *candidate.account;
  const auto or_none = [](const std::string& text) { return text.empty() ? "-" : text; };
  return fmt::format(
      "  account   {}\n  user      {} {}\n  platform  {}\n  business  {}\n  status    {}, {}\n  matched   by "
      "{}\n",
      to_string(account.id), to_string(account.user_id), details.email, account.platform_label,
      or_none(details.business_name), account.active ? "active" : "inactive", or_none(details.webhook_status),
      candidate.matched_by);
}

boost::json::object account_as_json(const RouteCandidate& candidate, const Details& details) {
  const model::Account& account = *candidate.account;
  const auto or_null = [](const std::string& text) -> boost::json::value {
    return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
  };
  return {{"id", to_string(account.id)},
          {"user_id", to_string(account.user_id)},
          {"email", or_null(details.email)},
          {"platform", account.platform_label},
          {"business_name", or_null(details.business_name)},
          {"is_active", account.active},
          {"webhook_status", or_null(details.webhook_status)},
          {"has_app_secret", !account.app_secrets.empty() || account.has_unreadable_secret},
          {"matched_by", candidate.matched_by}};
}

std::string headline(const RouteQuestion& question, RouteResult result) {
  const Colour colour = result == RouteResult::routed ? Colour::green : Colour::red;
  const std::string of_what = fmt::format("{} {}", to_string(question.kind), question.key);
  switch (result) {
    case RouteResult::routed: return coloured(colour, of_what + " goes to");
    case RouteResult::ambiguous_account:
      return coloured(colour, of_what + " is claimed by several accounts; which secret signs it may decide");
    case RouteResult::inactive_account:
      return coloured(colour, of_what + " goes to nobody: the account is inactive");
    case RouteResult::unknown_account: break;
  }
  return coloured(colour, of_what + " goes to nobody: no account answers to it");
}

void print_answer(const Options& options, const RouteAnswer& answer) {
  pg::Session session(database_of(options.common));
  std::string text = headline(options.question, answer.result) + "\n";
  boost::json::array accounts;
  for (const RouteCandidate& candidate : answer.candidates) {
    const Details details = details_of(session, *candidate.account);
    accounts.push_back(account_as_json(candidate, details));
    text += (accounts.size() > 1 ? "\n" : "") + account_as_text(candidate, details);
  }
  boost::json::array warnings;
  for (const std::string& warning : answer.warnings) {
    warnings.emplace_back(warning);
    text += coloured(Colour::yellow, "warning:") + " " + warning + "\n";
  }
  const boost::json::object document{
      {"v", 1},
      {"key", {{"kind", std::string(to_string(options.question.kind))}, {"value", options.question.key}}},
      {"result", std::string(to_string(answer.result))},
      {"accounts", std::move(accounts)},
      {"warnings", std::move(warnings)}};
  print(options.common.output == Output::json ? boost::json::serialize(document) + "\n" : fitted_lines(text));
}

Exit test_key(const Options& options, const RouteTracer& tracer) {
  RouteAnswer answer = tracer.answer(options.question);
  if (tracer.accounts().empty())
    answer.warnings.emplace_back(
        "this role sees no account of a platform that sends webhooks (row-level security?)");
  print_answer(options, answer);
  return answer.result == RouteResult::routed ? Exit::done : Exit::data_blocks;
}

Exit test_all(const Options& options, const RouteTracer& tracer) {
  std::string text;
  boost::json::array faults;
  std::size_t tested = 0;
  for (const model::Account& account : tracer.accounts()) {
    if (!account.active) continue;
    ++tested;
    const std::optional<std::string> fault = tracer.fault_of(account);
    if (!fault) continue;
    const std::string id = to_string(account.id);
    faults.push_back(
        boost::json::object{{"id", id}, {"platform", account.platform_label}, {"reason", *fault}});
    text += fmt::format("{} {} on {}: {}\n", coloured(Colour::red, "does not route:"), id,
                        account.platform_label, *fault);
  }
  const std::size_t routed = tested - faults.size();
  const Exit outcome = faults.empty() ? Exit::done : Exit::data_blocks;
  text += fmt::format("{} of {} active accounts get their events\n", readable_count(routed),
                      readable_count(tested));
  const boost::json::object document{
      {"v", 1}, {"tested", tested}, {"routed", routed}, {"faults", std::move(faults)}};
  print(options.common.output == Output::json ? boost::json::serialize(document) + "\n" : fitted_lines(text));
  return outcome;
}

int route_test(const Options& options) {
  const config::Config config = settings_of(options.common);
  const route::SharedSecrets shared{.whatsapp = config.whatsapp.app_secrets,
                                    .instagram = config.instagram.app_secrets,
                                    .messenger = config.messenger.app_secrets};
  const RouteTracer tracer(load_accounts(config), shared);
  return static_cast<int>(options.has_key ? test_key(options, tracer) : test_all(options, tracer));
}

void add_keys(Command command, const std::shared_ptr<Options>& options) {
  Command keys =
      command.add_alternatives("key", "What the webhook says; without one, every active account's own");
  const auto add = [&](const char* name, KeyKind kind, const char* description) {
    keys.add_option_function(
            name,
            [options, kind](const std::string& value) {
              options->question.kind = kind;
              options->question.key = value;
              options->has_key = true;
            },
            description)
        .type_name("ID");
  };
  add("--phone-number-id", KeyKind::phone_number_id, "WhatsApp: value.metadata.phone_number_id");
  add("--waba-id", KeyKind::waba_id, "WhatsApp: entry.id, the WhatsApp Business Account");
  add("--display-phone-number", KeyKind::display_phone_number,
      "WhatsApp: the number as an event names it that has no phone number id; its digits count");
  add("--page-id", KeyKind::page_id, "Instagram, Messenger: entry.id");
  add("--account-id", KeyKind::account_id, "Instagram, Messenger: entry.id, as the account was connected");
}

}  // namespace

void add_route_test(Command migrate) {
  Command command = migrate.add_subcommand("route-test", "Which tenant would get an event, and why not");
  command.footer(
      "Examples:\n"
      "  socialsync migrate route-test --phone-number-id 683178638221369\n"
      "  socialsync migrate route-test                  every active account, with its own keys\n\n"
      "Exit codes: 0 it goes to exactly one account (without a key: each does) · 2 wrong usage or setting · "
      "3 no "
      "database, or not migrated · 9 none, or several");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  add_keys(command, options);
  const std::map<std::string, model::Platform> platforms{{"whatsapp", model::Platform::whatsapp},
                                                         {"instagram", model::Platform::instagram},
                                                         {"messenger", model::Platform::messenger},
                                                         {"facebook", model::Platform::messenger}};
  command
      .add_choice("--platform", options->question.platform, platforms,
                  "whatsapp, instagram or messenger, where the key leaves it open")
      .type_name("PLATFORM");
  command.runs([options] { return guarded(options->common, [&] { return route_test(*options); }); });
}

}  // namespace socialsync::cli::migration
