#include "config/settings.hpp"

#include <charconv>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "base/text.hpp"
#include "cli/app/commands.hpp"
#include "cli/text/printable.hpp"
#include "config/config.hpp"

namespace socialsync::cli {
namespace {

using Kind = config::Setting::Kind;

const char* name_of(config::Origin origin) {
  switch (origin) {
    case config::Origin::environment: return "environment";
    case config::Origin::dotenv: return ".env";
    case config::Origin::standard: break;
  }
  return "default";
}

// Numbers and flags as such. An invalid one is shown as the text it is.
std::string json_of(const config::CurrentSetting& current) {
  if (!current.value) return "null";
  const std::string& value = *current.value;
  const Kind kind = current.setting->values.kind;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size()) {
    if (kind == Kind::number) return std::to_string(number);
    if (kind == Kind::flag && number <= 1) return number == 1 ? "true" : "false";
  }
  return kind == Kind::flag && (value == "true" || value == "false") ? value : quoted_json(value);
}

void print_json(const std::vector<config::CurrentSetting>& settings,
                const std::vector<config::Problem>& problems) {
  const char* separator = "";
  fmt::print("{{\"v\":1,\"settings\":[");
  for (const config::CurrentSetting& current : settings) {
    fmt::print("{}{{\"name\":\"{}\",\"value\":{},\"from\":\"{}\",\"help\":{}}}", separator,
               current.setting->name, json_of(current), name_of(current.origin),
               quoted_json(current.setting->help));
    separator = ",";
  }
  separator = "";
  fmt::print("],\"problems\":[");
  for (const config::Problem& problem : problems) {
    fmt::print("{}{{\"setting\":{},\"message\":{}}}", separator, quoted_json(problem.setting),
               quoted_json(problem.message));
    separator = ",";
  }
  fmt::print("]}}\n");
}

void print_table(const std::vector<config::CurrentSetting>& settings) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "VALUE", "FROM"}};
  for (const config::CurrentSetting& current : settings)
    rows.push_back({std::string(current.setting->name), printable(current.value.value_or("-")),
                    name_of(current.origin)});
  fmt::print("{}", aligned(rows));
}

Exit print_settings(Output output) {
  const std::vector<config::CurrentSetting> settings = config::current_settings();
  const std::vector<config::Problem> problems = config::load_from_environment().problems;
  if (output == Output::json)
    print_json(settings, problems);
  else
    print_table(settings);
  for (const config::Problem& problem : problems)
    fmt::print(stderr, "socialsync: {}: {}\n", printable(problem.setting), printable(problem.message));
  return problems.empty() ? Exit::done : Exit::wrong_usage;
}

}  // namespace

void add_settings(Command app) {
  Command command = app.add_subcommand("settings", "Show each setting, its value and where it comes from");
  const auto output = std::make_shared<Output>(Output::text);
  const std::map<std::string, Output> formats{{"text", Output::text}, {"json", Output::json}};
  command.add_choice("--output", *output, formats, "text (default) or json").type_name("FORMAT");
  command.help({.notes = "Secrets are shown as dots, URLs without password and query.",
                .examples = {"socialsync settings", "socialsync settings --output json"},
                .exits = {{Exit::wrong_usage, "wrong usage, or a setting is invalid"}}});
  command.runs([output] { return print_settings(*output); }, [output] { return *output; });
}

}  // namespace socialsync::cli
