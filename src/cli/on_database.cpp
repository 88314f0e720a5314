#include "cli/on_database.hpp"

#include <string>

#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "app/private_cluster.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"
#include "migrate/outcome.hpp"
#include "pg/error.hpp"
#include "store/schema.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;

int explain(bool wants_json, const pg::Error& error) {
  constexpr std::string_view undefined_table = "42P01";
  const std::string& state = error.sqlstate();
  if (state == undefined_table)
    return complain(wants_json, ExitCode::not_migrated, "not_migrated",
                    "this database is not migrated: run socialsync migrate apply");
  const bool is_bad_value = state.starts_with("22");  // a time that is none, say
  return complain(wants_json, is_bad_value ? ExitCode::usage_error : ExitCode::internal_error,
                  is_bad_value ? "wrong_usage" : "database", error.what());
}

int work_on(const config::Config& config, const DatabaseWork& work) {
  int code = ExitCode::internal_error;
  with_database(config, [&](pg::Connection& connection) -> asio::awaitable<bool> {
    co_await store::prepare_session(connection, std::chrono::seconds(2));
    code = co_await work(config, connection);
    co_return true;
  });
  return code;
}

}  // namespace

void add_output(CLI::App& command, bool& wants_json) {
  command
      .add_option_function<std::string>(
          "--output", [&wants_json](const std::string& format) { wants_json = format == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
}

int complain(bool wants_json, int exit_code, const char* code, const std::string& message) {
  fmt::print(stderr, "{}\n", fitted("socialsync: " + message, 2, STDERR_FILENO));
  if (wants_json) {
    std::string text;
    append_json_string(text, message);
    fmt::print("{{\"v\":1,\"error\":{{\"code\":\"{}\",\"message\":{}}}}}\n", code, text);
  }
  return exit_code;
}

int on_database(bool wants_json, const DatabaseWork& work) {
  auto config = load_config();
  if (!config) return ExitCode::usage_error;
  if (!config->database.given()) config->database.options = app::PrivateCluster::options(config->data_dir);
  try {
    return work_on(*config, work);
  } catch (const pg::Error& error) {
    return explain(wants_json, error);
  } catch (const migrate::Failure& failure) {
    return complain(wants_json, ExitCode::usage_error, "wrong_usage", failure.what());
  } catch (const boost::system::system_error& error) {
    return complain(wants_json, ExitCode::internal_error, "database", error.what());
  }
}

}  // namespace socialsync::cli
