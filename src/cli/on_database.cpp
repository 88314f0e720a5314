#include "cli/on_database.hpp"

#include <string>

#include <fmt/core.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/common.hpp"
#include "cli/exit_code.hpp"
#include "cli/printable.hpp"
#include "cli/terminal.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::cli {
namespace asio = boost::asio;

void add_output(Command command, bool& wants_json) {
  const std::map<std::string, bool> formats{{"text", false}, {"json", true}};
  command.add_choice("--output", wants_json, formats, "text (default) or json").type_name("FORMAT");
}

int on_database(bool wants_json, const DatabaseWork& work) {
  const Common common{
      .dsn = "", .output = wants_json ? Output::json : Output::text, .application = "socialsync"};
  return guarded(common, [&] {
    const config::Config config = settings_of(common);
    int code = ExitCode::internal_error;
    try {
      ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
        code = co_await work(config, connection);
      });
    } catch (const pg::Error& error) {
      const bool is_bad_value =
          error.sqlstate().starts_with(pg::sqlstate::class_data_exception);  // a time that is none, say
      if (is_bad_value) throw Failure(Exit::wrong_usage, error.what());
      throw;
    }
    return code;
  });
}

int complain(bool wants_json, int exit_code, const char* code, const std::string& message) {
  fmt::print(stderr, "{}\n", fitted("socialsync: " + printable(message, true), 2, STDERR_FILENO));
  if (wants_json) {
    std::string text;
    append_json_string(text, message);
    fmt::print("{{\"v\":1,\"error\":{{\"code\":\"{}\",\"message\":{}}}}}\n", code, text);
  }
  return exit_code;
}

}  // namespace socialsync::cli
