#include "cli/secrets.hpp"

#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "cli/app/runner.hpp"
#include "cli/database.hpp"
#include "cli/exit_code.hpp"
#include "crypto/secret_box.hpp"
#include "model/secret_columns.hpp"
#include "pg/error.hpp"
#include "store/schema.hpp"
#include "store/secrets.hpp"

namespace socialsync::cli {
namespace secrets {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> refuse_what_cannot_work(pg::Connection& connection,
                                              const std::vector<std::string>& columns, bool writes) {
  const bool is_migrated = co_await store::is_migrated(connection);
  if (!is_migrated)
    throw Failure(Exit::refused, "the database is not migrated: run socialsync migrate apply");
  const std::string obstacle = co_await store::secrets_obstacle(connection, columns, writes);
  if (!obstacle.empty()) throw Failure(Exit::refused, obstacle);
  co_await store::limit_lock_waits(connection);
}

int print_key() {
  fmt::print("{}\n", crypto::new_secret_key());
  return ExitCode::done;
}

void add_key(Command app) {
  Command key = app.add_subcommand("key", "Print a fresh random key");
  key.footer(
      "Keep it where backups of the database are not: without it nobody reads what it sealed.\n"
      "Example:  (umask 077; socialsync secrets key > /etc/socialsync/secrets.key)\n"
      "Exit codes: 0 done · 1 internal error");
  key.runs(print_key);
}

}  // namespace

config::Config settings() { return settings_of(Common()); }

void with_secrets(const config::Config& config, const std::vector<std::string>& columns, bool writes,
                  const std::function<asio::awaitable<void>(pg::Connection& connection)>& work) {
  with_database(config, [&](pg::Connection& connection) -> asio::awaitable<bool> {
    co_await refuse_what_cannot_work(connection, columns, writes);
    co_await work(connection);
    co_return true;
  });
}

std::vector<std::string> column_names() {
  std::vector<std::string> names;
  for (const model::SecretColumn& column : model::secret_columns) names.emplace_back(column.name);
  return names;
}

int guarded(const std::function<int()>& work) {
  try {
    return work();
  } catch (const Failure& failure) {
    fmt::print(stderr, "socialsync: {}\n", failure.what());
    return static_cast<int>(failure.code());
  } catch (const pg::Error& error) {
    if (!error.is_lock_conflict()) throw;
    fmt::print(stderr, "socialsync: somebody holds a lock on these rows: run it again, it goes on\n");
    return ExitCode::left_over;
  }
}

void add_output(Command command, std::string& output) {
  command.add_option("--output", output, "text (default) or json")
      .one_of({"text", "json"})
      .type_name("FORMAT");
}

}  // namespace secrets

void add_secrets(Command app) {
  Command command =
      app.add_subcommand("secrets", "Secrets of accounts and endpoints, encrypted in the database");
  command.require_subcommand();
  secrets::add_key(command);
  secrets::add_status(command);
  secrets::add_changes(command);
}

}  // namespace socialsync::cli
