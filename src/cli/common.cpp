#include "cli/common.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <map>

#include <boost/system/system_error.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "app/private_cluster.hpp"
#include "base/failure.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/on_database.hpp"
#include "cli/terminal.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"
#include "store/schema.hpp"

namespace socialsync::cli {
namespace {

// Somebody's row lock is waited for, but not for ever.
constexpr std::chrono::milliseconds operators_lock_timeout{5'000};

const char* code_of(Exit outcome) {
  switch (outcome) {
    case Exit::done: return "done";
    case Exit::internal_error: return "internal_error";
    case Exit::wrong_usage: return "wrong_usage";
    case Exit::refused: return "refused";
    case Exit::lock_budget_spent: return "lock_budget_spent";
    case Exit::conflict: return "conflict";
    case Exit::verify_failed: return "verify_failed";
    case Exit::other_run: return "other_run";
    case Exit::no_backup: return "no_backup";
    case Exit::data_blocks: return "data_blocks";
    case Exit::pending: return "pending";
    case Exit::interrupted: return "interrupted";
  }
  return "internal_error";
}

int report(const Common& common, Exit outcome, const std::string& message) {
  return complain(common.output == Output::json, static_cast<int>(outcome), code_of(outcome), message);
}

bool is_lost_connection(const pg::Error& error) {
  return error.kind() == pg::ErrorKind::connection && !error.sqlstate().empty();
}

std::string explanation(const pg::Error& error) {
  if (!is_lost_connection(error)) return error.what();
  return fmt::format("the connection is lost: {}; run this again", error.what());
}

// What PostgreSQL refuses is the operator's to know, not a bug of ours.
Exit outcome_of(const pg::Error& error) {
  if (is_lost_connection(error)) return Exit::lock_budget_spent;
  if (error.sqlstate() == pg::sqlstate::query_canceled) return Exit::interrupted;
  if (error.is_lock_conflict()) return Exit::lock_budget_spent;
  if (error.sqlstate() == pg::sqlstate::insufficient_privilege || error.sqlstate().empty())
    return Exit::refused;
  return Exit::internal_error;
}

}  // namespace

void add_common(Command command, Common& common, bool has_json) {
  command
      .add_option(
          "--dsn", common.dsn,
          "The database, as for psql -d. A password in it can be seen in the list of processes: better "
          "is DATABASE_URL, or ~/.pgpass")
      .type_name("URL");
  if (!has_json) return;
  const std::map<std::string, Output> formats{{"text", Output::text}, {"json", Output::json}};
  command.add_choice("--output", common.output, formats, "text (default) or json").type_name("FORMAT");
}

pg::ConnectionOptions database_of(const Common& common) {
  const auto config = load_config();
  if (!config) throw Failure(Exit::wrong_usage, "the settings above must be right first");
  pg::ConnectionOptions options = config->database.options;
  if (!common.dsn.empty()) options = {{"dbname", common.dsn}};
  if (options.empty()) throw Failure(Exit::refused, "no database is named: set DATABASE_URL, or say --dsn");
  pg::expanded(options);  // libpq's own complaint about one that it cannot read quotes it, password and all
  options.emplace_back("fallback_application_name", common.application);
  return options;
}

config::Config settings_of(const Common& common) {
  auto config = load_config();
  if (!config) throw Failure(Exit::wrong_usage, "the settings above must be right first");
  const bool is_named = config->database.given() || !common.dsn.empty();
  config->database.options = is_named ? database_of(common) : app::PrivateCluster::options(config->data_dir);
  return std::move(*config);
}

void ask_database(const config::Config& settings,
                  const std::function<boost::asio::awaitable<void>(pg::Connection& connection)>& work) {
  try {
    with_database(settings, [&work](pg::Connection& connection) -> boost::asio::awaitable<bool> {
      co_await store::prepare_session(connection, operators_lock_timeout);
      co_await store::plan_by_values(connection);
      co_await work(connection);
      co_return true;
    });
  } catch (const boost::system::system_error& error) {
    throw Failure(Exit::refused, fmt::format("the database does not answer: {}", error.code().message()));
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::undefined_table &&
        error.sqlstate() != pg::sqlstate::undefined_column)
      throw;
    throw Failure(Exit::refused, "the database is not migrated: run socialsync migrate apply");
  }
}

int guarded(const Common& common, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Failure& failure) {
    return report(common, failure.code(), failure.what());
  } catch (const pg::Error& error) {
    return report(common, outcome_of(error), explanation(error));
  }
}

}  // namespace socialsync::cli
