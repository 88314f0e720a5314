#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "app/gateway.hpp"
#include "app/private_cluster.hpp"
#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/json.hpp"
#include "migrate/client_programs.hpp"
#include "migrate/sql_files.hpp"
#include "process/account.hpp"
#include "store/first_tenant.hpp"
#include "store/schema.hpp"

namespace socialsync::cli {
namespace servers {
namespace {

namespace asio = boost::asio;

struct ServeOptions {
  app::Duty duty = app::Duty::all;
};

struct UpOptions {};

Exit serve(const ServeOptions& options, const Common& common) {
  config::Config config = settings_of(common);
  if (common.dsn.empty() && !settings().database.given())
    throw Failure(Exit::wrong_usage,
                  "serve needs a database: set DATABASE_URL or DB_HOST, or give --dsn; for a private one: "
                  "socialsync up");
  app::run_gateway(config, app::DatabaseOwner::operators, options.duty,
                   [](const std::string& url) { log::info("ready", {{"url", url}}); });
  return Exit::done;
}

asio::awaitable<void> make_first_tenant(pg::Connection& connection, const config::Config& config) {
  const auto account_of = [](const char* label, const config::PlatformDefaults& defaults) {
    return store::FirstAccount{label, defaults.account_key, defaults.access_token,
                               fmt::format("{}", fmt::join(defaults.app_secrets, ",")),
                               defaults.verify_token};
  };
  const store::FirstAccount whatsapp = account_of("whatsapp_business", config.whatsapp);
  const store::FirstAccount instagram = account_of("instagram", config.instagram);
  if (!whatsapp.key.empty()) co_await store::upsert_first_account(connection, whatsapp, config.secrets.keys);
  if (!instagram.key.empty())
    co_await store::upsert_first_account(connection, instagram, config.secrets.keys);
  co_await store::make_demo_account(connection, !config.whatsapp.app_secrets.empty());
}

std::string psql_command(const config::Config& config, bool is_private) {
  return is_private ? app::PrivateCluster::psql_command(config.data_dir) : R"(psql "$DATABASE_URL")";
}

void print_first_webhook(const std::string& url, const std::string& phone_number_id,
                         const std::string& psql) {
  fmt::print(
      "\n  Send a first webhook:\n"
      "    curl -X POST {}/api/whatsapp/webhook-test -H 'Content-Type: application/json' -d '{{\"entry\": "
      "[{{\"id\": \"{}\", \"changes\": [{{\"field\": \"messages\", \"value\": {{\"messages\": [{{\"id\": "
      "\"msg_'$(date +%s)'\", \"from\": \"33765540003\", \"type\": \"text\", \"text\": {{\"body\": "
      "\"Hello\"}}}}]}}}}]}}]}}'\n",
      url, phone_number_id);
  fmt::print("\n  and see it:\n    {} -c 'SELECT * FROM webhook_logs ORDER BY created_at DESC LIMIT 5'\n",
             psql);
}

void print_welcome(const std::string& url, const config::Config& config, const std::string& phone_number_id,
                   bool is_private) {
  const std::string psql = psql_command(config, is_private);
  fmt::print("\n  SocialSync Webhooks is up at {}\n\n  Look inside:\n    {}\n", url, psql);
  if (config.developer && !phone_number_id.empty()) print_first_webhook(url, phone_number_id, psql);
  fmt::print("\n  Ctrl-C stops {}; the data stays.\n\n", is_private ? "it and its database" : "it");
  std::fflush(stdout);
}

void print_ready(const std::string& url, const config::Config& config, const std::string& phone_number_id,
                 bool is_private) {
  print_json({{"event", "ready"},
              {"url", url},
              {"psql", psql_command(config, is_private)},
              {"phone_number_id", or_null(phone_number_id)}});
  std::fflush(stdout);
}

// Migrates the database; a private one gets a tenant. Returns a phone number id to send to; empty for none.
std::string prepare(const config::Config& config, bool is_private) {
  bool is_migrated = false;
  if (!is_private)
    ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
      is_migrated = co_await store::is_migrated(connection);
    });
  if (!is_migrated) {
    fmt::print(stderr, "Preparing the database …\n");
    migrate::run_psql(config.database.options, migrate::schema_updates());
  }
  std::optional<std::string> phone_number_id;
  ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
    if (is_private) co_await make_first_tenant(connection, config);
    phone_number_id = co_await store::any_phone_number_id(connection);
  });
  return phone_number_id.value_or("");
}

Exit up(const UpOptions&, const Common& common) {
  constexpr const char* system_user = "postgres";  // Debian's user for PostgreSQL
  config::Config config = settings_of(common);
  const bool is_private = common.dsn.empty() && !settings().database.given();
  std::unique_ptr<app::PrivateCluster> cluster;
  if (is_private) {
    process::settle_in(config.data_dir, system_user);
    cluster = std::make_unique<app::PrivateCluster>(config.data_dir);
    config.developer = true;
  }
  const std::string phone_number_id = prepare(config, is_private);
  const app::DatabaseOwner owner = is_private ? app::DatabaseOwner::ours : app::DatabaseOwner::operators;
  app::run_gateway(config, owner, app::Duty::all, [&](const std::string& url) {
    const auto print = common.wants_json() ? print_ready : print_welcome;
    print(url, config, phone_number_id, is_private);
  });
  return Exit::done;
}

}  // namespace
}  // namespace servers

void add_serve(Command app) {
  Command command = app.add_subcommand("serve", "Serve webhooks for a migrated database until SIGTERM");
  command.help(
      {.examples = {"DATABASE_URL=postgresql://user@localhost/socialsync META_APP_SECRET=… socialsync serve"},
       .exits = {{Exit::done, "stopped"}, {Exit::refused, "the database is not migrated"}}});
  const auto options = std::make_shared<servers::ServeOptions>();
  Option ingest = command.add_flag(
      "--ingest-only", [options] { options->duty = app::Duty::ingest_only; },
      "Receive webhooks only; other processes deliver events");
  command
      .add_flag(
          "--deliver-only", [options] { options->duty = app::Duty::deliver_only; },
          "Deliver events only; other processes receive webhooks")
      .excludes(ingest);
  with_common(command, options, servers::serve);
}

void add_up(Command app) {
  Command command = app.add_subcommand("up", "Prepare the database and serve: the quickest way to start");
  command.help(
      {.notes = "Without DATABASE_URL, DB_HOST and --dsn, runs a private PostgreSQL under "
                "SOCIALSYNC_DATA_DIR, with "
                "a demo tenant (or the one of WHATSAPP_PHONE_NUMBER_ID and related settings), and opens the "
                "unsigned test routes.",
       .examples = {"socialsync up"},
       .exits = {{Exit::done, "stopped"}}});
  with_common(command, std::make_shared<servers::UpOptions>(), servers::up);
}

}  // namespace socialsync::cli
