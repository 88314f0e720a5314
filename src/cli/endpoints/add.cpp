#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/endpoints/draft.hpp"
#include "cli/endpoints/handshake.hpp"
#include "cli/endpoints/sealing.hpp"
#include "cli/endpoints/secrets.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string account;
  bool is_operators = false;
  Draft draft;
  bool wants_json = false;
};

asio::awaitable<Uuid> make(const std::optional<Uuid>& account, bool is_pulled, std::string values,
                           pg::Connection& connection) {
  const store::FreePlace where = co_await store::find_free_place(connection, account, is_pulled);
  if (!where.place)
    throw Failure(Exit::data_blocks, "all ten places are taken: socialsync endpoints remove frees one");
  std::optional<Uuid> id;
  try {
    id = co_await store::add_endpoint(connection, account, where, std::move(values));
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::unique_violation) throw;
  }
  if (!id)
    throw Failure(Exit::data_blocks,
                  "somebody else has taken the place, or the account has gone meanwhile: run this again");
  co_return *id;
}

asio::awaitable<int> add(const Options& options, const config::Config& config, pg::Connection& connection) {
  std::string values = values_of(options.draft);
  const std::optional<std::string> token =
      verify_token_of(options.draft, options.draft.format.value_or("meta"));
  std::optional<Uuid> account;
  if (!options.is_operators) account = co_await the_account_id(connection, options.account);
  if (token) {
    Headers headers = headers_in(values).value_or(Headers());
    const auto fault = co_await shake_hands(config, *options.draft.url, *token, std::move(headers));
    if (fault) co_return complain(options.wants_json, ExitCode::not_answered, "handshake_failed", *fault);
  }
  values = co_await new_sealed_values(connection, std::move(values), config.secrets.keys);
  const Uuid id = co_await make(account, options.draft.is_pulled, std::move(values), connection);
  const store::EndpointRecord endpoint = co_await the_endpoint(connection, to_string(id));
  const store::EndpointSecrets secrets =
      co_await store::read_endpoint_secrets(connection, id, config.secrets.keys);
  const NewSecrets shown{.signing_secret = secrets.signing_secret,
                         .app_secret = options.draft.app_secret_file.empty() ? secrets.app_secret : ""};
  if (options.wants_json) {
    print_json({{"added", json_of(endpoint)}, {"secrets", json_of(shown)}});
  } else {
    fmt::print("added {}\n", described(endpoint));
    print_new(shown);
  }
  co_return ExitCode::done;
}

int run(const std::shared_ptr<Options>& options) {
  const bool has_target = options->draft.url || options->draft.is_pulled;
  if (!has_target || options->account.empty() != options->is_operators)
    return complain(options->wants_json, ExitCode::usage_error, "wrong_usage",
                    has_target ? "say whose it is: --account, or --operator" : "say --url, or --pull");
  return on_database(options->wants_json,
                     [options](const config::Config& config, pg::Connection& connection) {
                       return add(*options, config, connection);
                     });
}

}  // namespace

void add_add(Command endpoints) {
  Command command =
      endpoints.add_subcommand("add", "One more place for an account's events; workers know it at once");
  const auto options = std::make_shared<Options>();
  Option account =
      command.add_option("--account", options->account, "Whose events: id, phone number id or page id")
          .type_name("ACCOUNT");
  command.add_flag("--operator", options->is_operators, "Your own, for events that are no account's")
      .excludes(account);
  add_draft_options(command, options->draft);
  add_output(command, options->wants_json);
  command.footer(
      std::string("An account has ten places. The first URL becomes its webhook_url. The secrets are shown "
                  "this once.\n"
                  "A URL in the meta format is asked as Meta asks one, with the receiver's verify token, and "
                  "taken when it\nanswers with the challenge; the standard format knows no handshake.\n"
                  "Examples:\n"
                  "  socialsync endpoints add --account 683178638221369 --url https://bot.example/webhook "
                  "--verify-token-file token\n"
                  "  socialsync endpoints add --account 683178638221369 --pull --events messages\n"
                  "  socialsync endpoints add --operator --url https://ops.example/ --events "
                  "endpoint_failing,endpoint_disabled --skip-handshake") +
      exit_codes);
  command.runs([options] { return run(options); });
}

}  // namespace socialsync::cli::endpoints
