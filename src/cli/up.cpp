#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>
#include <fmt/format.h>

#include "app/gateway.hpp"
#include "app/private_cluster.hpp"
#include "cli/app/runner.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/exit_code.hpp"
#include "migrate/client_programs.hpp"
#include "migrate/sql_files.hpp"
#include "process/account.hpp"
#include "store/first_tenant.hpp"
#include "store/schema.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;

// PostgreSQL's own user on Debian.
constexpr const char* system_user = "postgres";

std::string joined(const std::vector<std::string>& entries) {
  return fmt::format("{}", fmt::join(entries, ","));
}

asio::awaitable<void> make_first_tenant(pg::Connection& connection, const config::Config& config) {
  const store::FirstAccount whatsapp{"whatsapp_business", config.whatsapp.account_key,
                                     config.whatsapp.access_token, joined(config.whatsapp.app_secrets),
                                     config.whatsapp.verify_token};
  const store::FirstAccount instagram{"instagram", config.instagram.account_key,
                                      config.instagram.access_token, joined(config.instagram.app_secrets),
                                      config.instagram.verify_token};
  if (!whatsapp.key.empty()) co_await store::upsert_first_account(connection, whatsapp, config.secrets.keys);
  if (!instagram.key.empty())
    co_await store::upsert_first_account(connection, instagram, config.secrets.keys);
  co_await store::make_demo_account(connection, !config.whatsapp.app_secrets.empty());
}

std::string psql_command(const config::Config& config, bool is_private) {
  return is_private ? app::PrivateCluster::psql_command(config.data_dir) : R"(psql "$DATABASE_URL")";
}

void print_welcome(const std::string& url, const config::Config& config, const std::string& phone_number_id,
                   bool is_private) {
  fmt::print("\n  SocialSync Webhooks is up at {}\n", url);
  fmt::print("\n  Look inside:\n    {}\n", psql_command(config, is_private));
  if (config.developer && !phone_number_id.empty()) {
    fmt::print(
        "\n  Send a first webhook:\n"
        "    curl -X POST {}/api/whatsapp/webhook-test -H 'Content-Type: application/json' -d '{{\"entry\": "
        "[{{\"id\": \"{}\", \"changes\": [{{\"field\": \"messages\", \"value\": {{\"messages\": [{{\"id\": "
        "\"msg_'$(date +%s)'\", \"from\": \"33765540003\", \"type\": \"text\", \"text\": {{\"body\": "
        "\"Hello\"}}}}]"
        "}}}}]}}]}}'\n",
        url, phone_number_id);
    fmt::print("\n  and see it:\n    {} -c 'SELECT * FROM webhook_logs ORDER BY created_at DESC LIMIT 5'\n",
               psql_command(config, is_private));
  }
  fmt::print("\n  Ctrl-C stops {}; the data stays.\n\n", is_private ? "it and its database" : "it");
  std::fflush(stdout);
}

// The database is migrated and, when it is ours, has a tenant. Returns a phone number to write to, or "".
std::string prepare(config::Config& config, bool is_private) {
  std::optional<std::string> phone_number_id;
  if (is_private || !with_database(config, store::is_migrated)) {
    fmt::print(stderr, "Preparing the database …\n");
    migrate::run_psql(config.database.options, migrate::schema_updates());
  }
  with_database(config, [&](pg::Connection& connection) -> asio::awaitable<bool> {
    if (is_private) co_await make_first_tenant(connection, config);
    phone_number_id = co_await store::any_phone_number_id(connection);
    co_return true;
  });
  return phone_number_id.value_or("");
}

int up() {
  config::Config config = settings();
  const bool is_private = !config.database.given();
  std::unique_ptr<app::PrivateCluster> cluster;
  if (is_private) {
    process::settle_in(config.data_dir, system_user);
    cluster = std::make_unique<app::PrivateCluster>(config.data_dir);
    config.database.options = app::PrivateCluster::options(config.data_dir);
    config.developer = true;
  }
  const std::string phone_number_id = prepare(config, is_private);
  const app::DatabaseOwner owner = is_private ? app::DatabaseOwner::ours : app::DatabaseOwner::operators;
  try {
    app::run_gateway(config, owner, app::Duty::all, [&](const std::string& url) {
      print_welcome(url, config, phone_number_id, is_private);
    });
  } catch (const app::WrongSecretsKey& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::usage_error;
  }
  return ExitCode::done;
}

}  // namespace

void add_up(Command app) {
  Command command = app.add_subcommand("up", "Make the database ready and serve: the quickest way to try it");
  command.footer(
      "Without DATABASE_URL or DB_HOST it keeps a private PostgreSQL under SOCIALSYNC_DATA_DIR, with a demo "
      "tenant\n"
      "(or the one that WHATSAPP_PHONE_NUMBER_ID and its kin describe), and opens the unsigned test routes.\n"
      "Example:  socialsync up\n"
      "Exit codes: 0 stopped · 1 internal error · 2 a setting is wrong");
  command.runs(up);
}

}  // namespace socialsync::cli
