#include "cli/on_database.hpp"

#include "cli/common.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::cli {

void add_output(Command command, bool& wants_json) {
  const std::map<std::string, bool> formats{{"text", false}, {"json", true}};
  command.add_choice("--output", wants_json, formats, "text (default) or json").type_name("FORMAT");
}

int on_database(bool wants_json,
                const std::function<boost::asio::awaitable<int>(const config::Config& config,
                                                                pg::Connection& connection)>& work) {
  const Common common{.dsn = "", .output = wants_json ? Output::json : Output::text};
  return guarded(common, [&] {
    const config::Config config = settings_of(common);
    int code = 1;
    try {
      ask_database(config, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
        code = co_await work(config, connection);
      });
    } catch (const pg::Error& error) {
      if (!error.sqlstate().starts_with(pg::sqlstate::class_data_exception)) throw;
      throw Failure(Exit::wrong_usage, error.what());
    }
    return code;
  });
}

int complain(bool wants_json, int exit_code, const char* code, const std::string& message) {
  const Common common{.dsn = "", .output = wants_json ? Output::json : Output::text};
  return guarded(common, [&]() -> int { throw Failure(static_cast<Exit>(exit_code), message, code); });
}

}  // namespace socialsync::cli
