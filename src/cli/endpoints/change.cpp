// add, set, rotate-secret, enable, disable and remove.
#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>

#include <boost/asio/this_coro.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "app/egress.hpp"
#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/app/runner.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/text/columns.hpp"
#include "cli/text/secret_input.hpp"
#include "cli/text/terminal.hpp"
#include "operate/accounts.hpp"
#include "operate/endpoint_draft.hpp"
#include "store/endpoints.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using store::EndpointRecord;

using HeaderList = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t day_s = 86'400;

// The options of add and set. Files are read after the arguments are.
struct DraftOptions {
  operate::EndpointDraft draft;
  std::optional<std::string> ordered;  // yes or no
  std::vector<std::string> headers;
  std::string headers_file;
  std::string app_secret_file;
  std::string verify_token_file;
  bool skips_handshake = false;

  void check() const;
};

struct AddOptions : DraftOptions {
  std::string account;
  bool is_operators = false;

  void check() const;
};

struct SetOptions : DraftOptions {
  std::string name;
};

struct RotateOptions {
  std::string name;
  store::Rotation rotation{.grace_s = day_s};
  bool is_app_secret = false;
};

struct SwitchOptions {
  std::string name;
  bool is_enabled = true;
  std::string because = "by the operator";
};

struct RemoveOptions {
  std::string name;
  bool yes = false;
};

[[noreturn]] void refuse_usage(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

json::object json_of_endpoint(const EndpointRecord& endpoint) {
  return json_of(store::endpoint_columns(), endpoint);
}

void DraftOptions::check() const {
  const std::string* files[] = {&headers_file, &app_secret_file, &verify_token_file};
  if (std::ranges::count_if(files, [](const std::string* file) { return *file == "-"; }) > 1)
    refuse_usage("standard input can be only one of the files");
}

void AddOptions::check() const {
  DraftOptions::check();
  if (!draft.url && !draft.is_pulled) refuse_usage("give --url or --pull");
  if (account.empty() != is_operators) refuse_usage("give --account or --operator");
}

std::vector<std::string> header_lines(const DraftOptions& options) {
  std::vector<std::string> lines = options.headers;
  if (options.headers_file.empty()) return lines;
  std::istringstream text(read_secret(options.headers_file, "headers"));
  for (std::string line; std::getline(text, line);)
    if (!line.empty() && line != "\r") lines.push_back(line);
  return lines;
}

// Reads the files.
store::EndpointChange change_of(const DraftOptions& options) {
  operate::EndpointDraft draft = options.draft;
  if (options.ordered) draft.is_ordered = *options.ordered == "yes";
  if (!options.headers.empty() || !options.headers_file.empty()) draft.headers = header_lines(options);
  if (!options.app_secret_file.empty()) draft.app_secret = read_secret(options.app_secret_file, "app_secret");
  if (draft.url && draft.url->starts_with("http://"))
    fmt::print(
        stderr,
        "socialsync: warning: http:// is not encrypted on its way; it needs SOCIALSYNC_EGRESS_HTTP=1\n");
  return operate::change_of(draft);
}

// The verify token, where the URL needs Meta's handshake. Reads its file.
std::optional<std::string> verify_token_of(const DraftOptions& options, const std::string& format) {
  const bool is_given = !options.verify_token_file.empty();
  const bool has_handshake = options.draft.url && format == "meta";
  if (!has_handshake && is_given)
    refuse_usage(options.draft.url ? "--verify-token-file: the standard format has no handshake"
                                   : "--verify-token-file needs --url, for the handshake with it");
  if (!has_handshake || options.skips_handshake) return std::nullopt;
  if (!is_given)
    refuse_usage(
        "a URL needs Meta's handshake: give the receiver's verify token with --verify-token-file FILE, or "
        "skip it with --skip-handshake");
  std::string token = read_secret(options.verify_token_file, "verify token");
  if (token.empty()) refuse_usage("the verify token is empty");
  return token;
}

asio::awaitable<void> ask_receiver(const config::Config& config, const DraftOptions& options,
                                   std::string token, HeaderList headers) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  deliver::Sender sender(executor, app::egress_policy_of(config.egress));
  co_await operate::shake_hands(sender, *options.draft.url, std::move(token), std::move(headers));
}

void print_secrets(const store::EndpointSecrets& secrets) {
  if (!secrets.signing_secret.empty())
    fmt::print("  signing secret  {}\n    for webhook-signature: give it to a Standard Webhooks library\n",
               secrets.signing_secret);
  if (!secrets.app_secret.empty())
    fmt::print("  app secret      {}\n    for X-Hub-Signature-256: the receiver's app secret of Meta\n",
               secrets.app_secret);
  fmt::print("  Secrets are shown once; the receiver needs only the one that it verifies.\n");
}

json::object json_of_secrets(const store::EndpointSecrets& secrets) {
  json::object object;
  if (!secrets.signing_secret.empty()) object["signing_secret"] = secrets.signing_secret;
  if (!secrets.app_secret.empty()) object["app_secret"] = secrets.app_secret;
  return object;
}

asio::awaitable<Exit> add(const AddOptions& options, Context& context) {
  store::EndpointChange values = change_of(options);
  std::optional<std::string> token = verify_token_of(options, values.format.value_or("meta"));
  std::optional<Uuid> account;
  if (!options.is_operators) {
    const store::AccountRecord found = co_await operate::find_account(context.connection, options.account);
    account = found.id;
  }
  if (token) {
    HeaderList headers;
    if (values.headers && *values.headers) headers = **values.headers;
    co_await ask_receiver(context.config, options, std::move(*token), std::move(headers));
  }
  const operate::AddedEndpoint added = co_await operate::add_endpoint(
      context.connection, account, std::move(values), context.config.secrets.keys);
  if (context.wants_json()) {
    print_json({{"added", json_of_endpoint(added.endpoint)}, {"secrets", json_of_secrets(added.secrets)}});
  } else {
    fmt::print("added {}\n", described(added.endpoint));
    print_secrets(added.secrets);
  }
  co_return Exit::done;
}

// Headers that are not changed are those of the endpoint.
asio::awaitable<void> ask_new_url(const SetOptions& options, const store::EndpointChange& change,
                                  const EndpointRecord& endpoint, Context& context) {
  std::optional<std::string> token = verify_token_of(options, change.format.value_or(endpoint.format));
  if (!token) co_return;
  HeaderList headers;
  if (change.headers) {
    if (*change.headers) headers = **change.headers;
  } else {
    const auto stored =
        co_await store::select_endpoint(context.connection, endpoint.id, context.config.secrets.keys);
    if (stored) headers = stored->endpoint.headers;
  }
  co_await ask_receiver(context.config, options, std::move(*token), std::move(headers));
}

asio::awaitable<Exit> set(const SetOptions& options, Context& context) {
  store::EndpointChange change = change_of(options);
  const std::vector<std::string> names = change.names();
  if (names.empty()) refuse_usage("nothing to set: see socialsync endpoints set --help");
  EndpointRecord endpoint = co_await operate::find_endpoint(context.connection, options.name);
  if (options.draft.is_pulled && endpoint.place == 0 && !endpoint.account_id.empty())
    throw Failure(Exit::data_blocks,
                  "place 0 is the account's webhook_url, which has a URL: add another endpoint with --pull");
  co_await ask_new_url(options, change, endpoint, context);
  endpoint = co_await operate::change_endpoint(context.connection, endpoint.id, std::move(change),
                                               context.config.secrets.keys);
  if (context.wants_json())
    print_json({{"set", array_of(names)}, {"endpoint", json_of_endpoint(endpoint)}});
  else
    fmt::print("set {} of {}\n", fmt::join(names, " "), described(endpoint));
  co_return Exit::done;
}

// "24h", "90m", "7d", "30s", "0"; at most a week.
std::optional<std::uint64_t> seconds_of(const std::string& text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (error != std::errc() || count > 7 * day_s) return std::nullopt;
  std::uint64_t unit_s = 0;
  if (unit == "s" || (unit.empty() && count == 0)) unit_s = 1;
  if (unit == "m") unit_s = 60;
  if (unit == "h") unit_s = 3'600;
  if (unit == "d") unit_s = day_s;
  if (unit_s == 0 || count * unit_s > 7 * day_s) return std::nullopt;
  return count * unit_s;
}

std::string grace_fault(const std::string& text) {
  return seconds_of(text) ? "" : "--grace must be like 24h, 90m or 7d, at most 7d; 0: none";
}

asio::awaitable<Exit> rotate(const RotateOptions& options, Context& context) {
  const EndpointRecord endpoint = co_await operate::find_endpoint(context.connection, options.name);
  const operate::AddedEndpoint rotated = co_await operate::rotate_secret(
      context.connection, endpoint.id, options.rotation, options.is_app_secret, context.config.secrets.keys);
  if (context.wants_json()) {
    print_json(
        {{"rotated", json_of_endpoint(rotated.endpoint)}, {"secrets", json_of_secrets(rotated.secrets)}});
    co_return Exit::done;
  }
  fmt::print("rotated {}\n", described(rotated.endpoint));
  if (!options.is_app_secret && options.rotation.grace_s > 0)
    fmt::print("  the old secret also signs until {}\n", rotated.endpoint.previous_signing_secret_until);
  else
    fmt::print("  the old secret no longer signs\n");
  print_secrets(rotated.secrets);
  co_return Exit::done;
}

asio::awaitable<Exit> switch_endpoint(const SwitchOptions& options, Context& context) {
  EndpointRecord endpoint = co_await operate::find_endpoint(context.connection, options.name);
  store::EndpointChange change{.is_enabled = options.is_enabled};
  if (!options.is_enabled) change.disabled_because = options.because;
  endpoint = co_await operate::change_endpoint(context.connection, endpoint.id, std::move(change),
                                               context.config.secrets.keys);
  const char* done = options.is_enabled ? "enabled" : "disabled";
  if (context.wants_json()) {
    print_json({{done, json_of_endpoint(endpoint)}});
    co_return Exit::done;
  }
  fmt::print("{} {}\n  {} deliveries pending, {} dead-lettered\n", done, described(endpoint),
             readable_count(endpoint.pending), readable_count(endpoint.dead_lettered));
  if (options.is_enabled && endpoint.dead_lettered > 0)
    fmt::print("  retry dead-lettered deliveries: socialsync deliveries retry --endpoint {}\n",
               operate::short_id(endpoint.id));
  co_return Exit::done;
}

asio::awaitable<Exit> remove(const RemoveOptions& options, Context& context) {
  const EndpointRecord endpoint = co_await operate::find_endpoint(context.connection, options.name);
  const std::uint64_t deliveries = endpoint.pending + endpoint.dead_lettered;
  const std::string question =
      fmt::format("Remove {}, and its {} deliveries?", described(endpoint), readable_count(deliveries));
  if (!confirmed(question, options.yes)) {
    if (context.wants_json()) print_json({{"removed", nullptr}, {"deliveries", 0}});
    co_return Exit::done;
  }
  const bool is_removed = co_await store::remove_endpoint(context.connection, endpoint.id);
  if (!is_removed) throw Failure(Exit::not_found, "the endpoint was removed by another session");
  if (context.wants_json())
    print_json({{"removed", json_of_endpoint(endpoint)}, {"deliveries", deliveries}});
  else
    fmt::print("removed {}\n  and its {} deliveries\n", described(endpoint), readable_count(deliveries));
  co_return Exit::done;
}

void add_secret_options(Command command, DraftOptions& options) {
  command
      .add_option("--header", options.headers,
                  "'Name: value' to send with each delivery; repeatable. For secrets: --headers-file")
      .type_name("HEADER");
  command.add_option("--headers-file", options.headers_file, "Headers, one a line; - is standard input")
      .type_name("FILE");
  command
      .add_option("--app-secret-file", options.app_secret_file,
                  "Secret for X-Hub-Signature-256 (default: a new one); - is standard input")
      .type_name("FILE");
  Option token = command
                     .add_option("--verify-token-file", options.verify_token_file,
                                 "The receiver's verify token, for Meta's handshake; - is standard input")
                     .type_name("FILE");
  command.add_flag("--skip-handshake", options.skips_handshake, "Accept the URL without a handshake")
      .excludes(token);
}

void add_draft_options(Command command, DraftOptions& options) {
  operate::EndpointDraft& draft = options.draft;
  Option url = command.add_option("--url", draft.url, "Delivery URL").type_name("URL");
  command.add_flag("--pull", draft.is_pulled, "No URL: the application pulls the events").excludes(url);
  command
      .add_option("--events", draft.events,
                  "Subscribed event types, comma-separated (default: all of the account's)")
      .type_name("LIST");
  command.add_option("--format", draft.format, "meta (default), as Meta sends webhooks; or standard")
      .one_of({"meta", "standard"}, false)
      .type_name("FORMAT");
  command
      .add_option("--ordered", options.ordered,
                  "yes: deliver the events of a conversation one at a time (default: no)")
      .one_of({"yes", "no"}, false)
      .type_name("YES|NO");
  command.add_option("--concurrent-max", draft.concurrent_max, "Concurrency limit (default 16)")
      .between(1, 256);
  command
      .add_option("--per-second-max", draft.per_second_max, "Rate limit in requests a second (default: none)")
      .between(1, 1'000'000);
  command.add_option("--description", draft.description, "Description").type_name("TEXT");
  add_secret_options(command, options);
}

constexpr ExitNote not_answered{Exit::not_answered, "the receiver did not pass the handshake"};

void add_add(Command endpoints) {
  Command command =
      endpoints.add_subcommand("add", "Add a delivery URL for an account (takes effect immediately)");
  const auto options = std::make_shared<AddOptions>();
  Option account =
      command.add_option("--account", options->account, "Account: id, phone number id or page id")
          .type_name("ACCOUNT");
  command.add_flag("--operator", options->is_operators, "The operator's own, for events of no account")
      .excludes(account);
  add_draft_options(command, *options);
  command.help(
      {.notes = "An account has ten places; its first URL becomes its webhook_url. Secrets are shown once. A "
                "URL of the meta format must pass Meta's handshake with the receiver's verify token.",
       .examples = {"socialsync endpoints add --account 683178638221369 --url https://bot.example/webhook "
                    "--verify-token-file token",
                    "socialsync endpoints add --account 683178638221369 --pull --events messages",
                    "socialsync endpoints add --operator --url https://ops.example/ --events "
                    "endpoint_failing,endpoint_disabled --skip-handshake"},
       .exits = {not_answered, {Exit::not_found, "account not found, or no free place"}}});
  on_database(command, options, add);
}

void add_set(Command endpoints) {
  Command command = endpoints.add_subcommand("set", "Change an endpoint (takes effect immediately)");
  const auto options = std::make_shared<SetOptions>();
  add_endpoint_name(command, options->name);
  add_draft_options(command, *options);
  command
      .add_option("--clear", options->draft.cleared,
                  "Clear these: description, webhook_events, per_second_max, headers")
      .separated_by(',')
      .type_name("NAME");
  command.help(
      {.notes =
           "Headers replace all headers that the endpoint has. A new URL must pass the handshake, as for "
           "add; at place 0 it also enables the endpoint.",
       .examples = {"socialsync endpoints set 0b8c2f4e --url https://new.example/ --verify-token-file token",
                    "socialsync endpoints set 0b8c2f4e --events messages,message_reads --per-second-max 50",
                    "socialsync endpoints set 0b8c2f4e --headers-file - <headers"},
       .exits = {not_answered, {Exit::not_found, "endpoint not found, or place 0 cannot be pulled"}}});
  on_database(command, options, set);
}

void add_rotate_secret(Command endpoints) {
  Command command =
      endpoints.add_subcommand("rotate-secret", "Replace a signing secret, with a grace period");
  const auto options = std::make_shared<RotateOptions>();
  add_endpoint_name(command, options->name);
  const auto take_grace = [options](const std::string& text) {
    options->rotation.grace_s = seconds_of(text).value_or(0);
  };
  Option grace = command
                     .add_option_function("--grace", take_grace,
                                          "The old secret also signs for that long (default 24h, at most 7d)")
                     .check(grace_fault)
                     .type_name("TIME");
  Option end_previous =
      command.add_flag("--end-previous", options->rotation.ends_previous,
                       "Rotate while the secret before the present one still signs, and end that one");
  command
      .add_flag("--app-secret", options->is_app_secret,
                "Replace the secret of X-Hub-Signature-256, at once: the header has one signature")
      .excludes(grace)
      .excludes(end_previous);
  command.help({.notes = "At most two secrets sign at a time.",
                .examples = {"socialsync endpoints rotate-secret 0b8c2f4e --grace 48h"},
                .exits = {{Exit::not_found, "endpoint not found, or two secrets sign already"}}});
  on_database(command, options, rotate);
}

void add_switches(Command endpoints) {
  Command enable = endpoints.add_subcommand("enable", "Enable an endpoint, and end its failing state");
  const auto enabled = std::make_shared<SwitchOptions>();
  add_endpoint_name(enable, enabled->name);
  enable.help({.examples = {"socialsync endpoints enable 0b8c2f4e"},
               .exits = {{Exit::not_found, "endpoint not found"}}});
  on_database(enable, enabled, switch_endpoint);

  Command disable = endpoints.add_subcommand("disable", "Stop deliveries to an endpoint; pending ones stay");
  const auto disabled = std::make_shared<SwitchOptions>(SwitchOptions{.name = "", .is_enabled = false});
  add_endpoint_name(disable, disabled->name);
  disable.add_option("--because", disabled->because, "Reason, shown by list and show").type_name("TEXT");
  disable.help({.examples = {"socialsync endpoints disable 0b8c2f4e --because 'moves to another host'"},
                .exits = {{Exit::not_found, "endpoint not found"}}});
  on_database(disable, disabled, switch_endpoint);
}

void add_remove(Command endpoints) {
  Command command = endpoints.add_subcommand("remove", "Remove an endpoint and its deliveries");
  const auto options = std::make_shared<RemoveOptions>();
  add_endpoint_name(command, options->name);
  command.add_flag("--yes", options->yes, "Do not ask");
  command.help({.notes = "For place 0 the account's webhook_url is cleared. Events stay in webhook_logs.",
                .examples = {"socialsync endpoints remove 0b8c2f4e --yes"},
                .exits = {{Exit::done, "done, or answered no"}, {Exit::not_found, "endpoint not found"}}});
  on_database(command, options, remove);
}

}  // namespace

void add_changing(Command endpoints) {
  add_add(endpoints);
  add_set(endpoints);
  add_rotate_secret(endpoints);
  add_switches(endpoints);
  add_remove(endpoints);
}

}  // namespace socialsync::cli::endpoints
