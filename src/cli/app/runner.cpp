#include "cli/app/runner.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <future>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "app/private_cluster.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "net/within.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"
#include "store/schema.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;

// The longest wait for a row lock of another session.
constexpr std::chrono::milliseconds operators_lock_timeout{5'000};

Exit report(Output output, Exit code, const char* name, const std::string& message) {
  const std::string line = fitted("socialsync: " + printable(message, true), 2, STDERR_FILENO) + "\n";
  std::fputs(line.c_str(), stderr);  // which does not throw: a full disk may be the error that is reported
  if (output == Output::text) return code;
  std::string text;
  append_json_string(text, message);
  std::fputs(fmt::format("{{\"v\":1,\"error\":{{\"code\":\"{}\",\"message\":{}}}}}\n", name, text).c_str(),
             stdout);
  return code;
}

bool is_lost_connection(const pg::Error& error) {
  return error.kind() == pg::ErrorKind::connection && !error.sqlstate().empty();
}

// A refusal by PostgreSQL is a condition of the database, not an internal error.
Exit exit_of(const pg::Error& error) {
  if (is_lost_connection(error)) return Exit::lock_budget_spent;
  if (error.sqlstate() == pg::sqlstate::query_canceled) return Exit::interrupted;
  if (error.is_lock_conflict()) return Exit::lock_budget_spent;
  if (error.sqlstate() == pg::sqlstate::insufficient_privilege || error.sqlstate().empty())
    return Exit::refused;
  return Exit::internal_error;
}

std::string message_of(const pg::Error& error) {
  if (!is_lost_connection(error)) return error.what();
  return fmt::format("connection to the database lost: {}; run this again", error.what());
}

// libpq's own complaint about a URL that it cannot read quotes it, with the password.
bool is_readable(const config::Database& database) {
  try {
    pg::expanded(database.options);
    return true;
  } catch (const pg::Error&) {
    return false;
  }
}

asio::awaitable<void> open_and_do(const config::Config& config,
                                  const std::function<asio::awaitable<void>(pg::Connection&)>& work) {
  auto opening = pg::Connection::open(config.database.options);
  const std::unique_ptr<pg::Connection> connection =
      co_await net::within(config.limits.connect_timeout, std::move(opening));
  co_await store::prepare_session(*connection, operators_lock_timeout);
  co_await store::plan_by_values(*connection);
  co_await work(*connection);
}

Exit open_and_run(const Common& common, const DatabaseWork& work) {
  const config::Config config = settings_of(common);
  Exit code = Exit::internal_error;
  try {
    ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
      Context context{config, connection, common.output};
      code = co_await work(context);
    });
  } catch (const pg::Error& error) {
    if (!error.sqlstate().starts_with(pg::sqlstate::class_data_exception)) throw;
    throw Failure(Exit::wrong_usage, error.what());  // a time that is none, say
  }
  return code;
}

void add_common(Command command, Common& common) {
  command
      .add_option(
          "--dsn", common.dsn,
          "Database URL, as for psql -d. A password in it is visible in the list of processes: prefer "
          "DATABASE_URL or ~/.pgpass")
      .type_name("URL");
  const std::map<std::string, Output> formats{{"text", Output::text}, {"json", Output::json}};
  command.add_choice("--output", common.output, formats, "text (default) or json").type_name("FORMAT");
}

}  // namespace

void with_common(Command command, Common common, const Check& check, const Work& work) {
  const auto given = std::make_shared<Common>(std::move(common));
  add_common(command, *given);
  command.add_exit({Exit::refused});
  command.add_exit({Exit::lock_budget_spent});
  command.runs(
      [given, check, work] {
        check();
        return work(*given);
      },
      [given] { return given->output; });
}

void on_database(Command command, const Check& check, const DatabaseWork& work) {
  with_common(command, Common(), check, [work](const Common& common) { return open_and_run(common, work); });
}

config::Config settings() {
  config::Loaded loaded = config::load_from_environment();
  if (!is_readable(loaded.config.database))
    loaded.problems.push_back({"DATABASE_URL", "must be like postgresql://user:password@host:5432/database"});
  std::string message;
  for (const config::Problem& problem : loaded.problems)
    message += fmt::format("{}{}: {}", message.empty() ? "" : "\n", problem.setting, problem.message);
  if (!message.empty()) throw Failure(Exit::wrong_usage, message);
  log::configure(loaded.config.log_json, loaded.config.log_debug);
  return std::move(loaded.config);
}

pg::ConnectionOptions database_of(const Common& common) {
  pg::ConnectionOptions options = settings().database.options;
  if (!common.dsn.empty()) options = {{"dbname", common.dsn}};
  if (options.empty()) throw Failure(Exit::refused, "no database is named: set DATABASE_URL or give --dsn");
  pg::expanded(options);  // before libpq complains of it, password and all
  options.emplace_back("fallback_application_name", common.application);
  return options;
}

config::Config settings_of(const Common& common) {
  config::Config config = settings();
  const bool is_named = config.database.given() || !common.dsn.empty();
  config.database.options = is_named ? database_of(common) : app::PrivateCluster::options(config.data_dir);
  return config;
}

void ask_database(const config::Config& settings,
                  const std::function<asio::awaitable<void>(pg::Connection& connection)>& work) {
  try {
    asio::io_context io(1);
    std::future<void> done = asio::co_spawn(io, open_and_do(settings, work), asio::use_future);
    io.run();
    done.get();
  } catch (const boost::system::system_error& error) {
    throw Failure(Exit::refused, fmt::format("database unreachable: {}", error.code().message()));
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::undefined_table &&
        error.sqlstate() != pg::sqlstate::undefined_column)
      throw;
    throw Failure(Exit::refused, "the database is not migrated: run socialsync migrate apply");
  }
}

Exit reported(const Action& action) {
  const auto output = [&action] { return action.output ? action.output() : Output::text; };
  try {
    return action.work();
  } catch (const Failure& failure) {
    const char* name = failure.name() == nullptr ? name_of(failure.code()) : failure.name();
    return report(output(), failure.code(), name, failure.what());
  } catch (const pg::Error& error) {
    return report(output(), exit_of(error), name_of(exit_of(error)), message_of(error));
  } catch (const std::exception& error) {
    return report(output(), Exit::internal_error, name_of(Exit::internal_error), error.what());
  }
}

}  // namespace socialsync::cli
