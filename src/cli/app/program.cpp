// The program: its commands, its arguments, its exit code.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "base/text.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli {
namespace {

using Arguments = std::span<char*>;

void add_version(Command app) {
  Command command = app.add_subcommand("version", "Print the version");
  command.runs([] {
    fmt::print("socialsync {}\n", SOCIALSYNC_VERSION);
    return Exit::done;
  });
}

void add_all(Command program) {
  program.help({.examples = {"socialsync up", "DATABASE_URL=… socialsync serve",
                             "socialsync send whatsapp --text 'hello'",
                             "socialsync migrate sql | psql -X socialsync"}});
  add_up(program);
  add_serve(program);
  add_send(program);
  add_migrate(program);
  add_accounts(program);
  add_endpoints(program);
  add_events(program);
  add_deliveries(program);
  add_quarantine(program);
  add_customers(program);
  add_secrets(program);
  add_settings(program);
  add_version(program);
}

std::vector<const CLI::App*> commands_of(const CLI::App& parent) {
  return parent.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); });
}

void collect_options(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); }))
    collect_options(*group, names);
}

// "; did you mean list?", where a name is that near; else empty.
std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string_view nearest = nearest_word(word, words);
  const std::size_t distance_max = std::max<std::size_t>(2, word.size() / 3);
  const bool is_near = !nearest.empty() && edit_distance(word, nearest) <= distance_max;
  return is_near ? fmt::format("; did you mean {}?", nearest) : "";
}

// The command that the arguments name.
struct Named {
  const CLI::App* app;
  std::string path = "socialsync";
  Arguments rest;  // the arguments after its name

  bool is_group() const { return !commands_of(*app).empty(); }
};

Named named_by(const CLI::App& program, Arguments arguments) {
  Named named{.app = &program, .rest = arguments};
  while (named.is_group() && !named.rest.empty()) {
    const std::vector<const CLI::App*> commands = commands_of(*named.app);
    const auto next = std::ranges::find(commands, named.rest.front(), &CLI::App::get_name);
    if (next == commands.end()) break;
    named.app = *next;
    named.path += fmt::format(" {}", named.rest.front());
    named.rest = named.rest.subspan(1);
  }
  return named;
}

Exit complain_of_usage(const Named& named, const std::string& problem) {
  const std::string text =
      fmt::format("{}: {}\nSee {} --help\n", named.path, printable(problem, true), named.path);
  fmt::print(stderr, "{}", fitted_lines(text, STDERR_FILENO));
  return Exit::wrong_usage;
}

// Returns the fault of a group's arguments, of which the parser reports only the missing subcommand; empty
// when they are right.
std::string fault_of_group(const Named& named) {
  if (!named.is_group()) return "";
  if (named.rest.empty()) return "name a command";
  const std::string word = named.rest.front();
  if (word.starts_with('-')) return "";
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(*named.app)) names.push_back(command->get_name());
  return fmt::format("no command {}{}", word, suggestion(word, names));
}

// Returns the fault of a command's arguments: an unknown option, else the parser's message.
std::string fault_of(const Named& named, const CLI::ParseError& error) {
  std::vector<std::string> names;
  collect_options(*named.app, names);
  for (const std::string_view argument : named.rest) {
    const std::string name(argument.substr(0, argument.find('=')));
    if (name == "--") break;
    if (name.starts_with("--") && std::ranges::count(names, name) == 0)
      return fmt::format("no option {}{}", name, suggestion(name, names));
  }
  return error.what();
}

std::string help_of(const CLI::App& app, const std::string& path, int descriptor) {
  const std::size_t parent_end = path.rfind(' ');
  const std::string parent = parent_end == std::string::npos ? "" : path.substr(0, parent_end);
  const std::string text = app.help(parent);
  return wrapped_lines(
      text, isatty(descriptor) == 1 ? std::min(terminal_width(descriptor), help_width) : help_width);
}

// Everybody can see arguments in the list of processes.
void hide_secrets(Arguments arguments) {
  for (const std::string_view option : {"--dsn", "--secret", "--header"}) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view argument = arguments[i];
      const bool is_value = i > 0 && std::string_view(arguments[i - 1]) == option;
      const bool has_value = argument.starts_with(option) && argument.substr(option.size()).starts_with('=');
      const std::size_t from = has_value ? option.size() + 1 : 0;
      if (is_value || has_value) std::memset(arguments[i] + from, '*', argument.size() - from);
    }
  }
}

Exit run_program(int argument_count, char** arguments) {
  CLI::App app("Receive Meta webhooks on one URL; commit every tenant's events to PostgreSQL.", "socialsync");
  app.set_version_flag("--version", "socialsync " SOCIALSYNC_VERSION, "Print the version");
  Action chosen;
  add_all(Command(app, chosen));
  const Named named =
      named_by(app, Arguments(arguments, static_cast<std::size_t>(argument_count)).subspan(1));
  if (argument_count == 1) {
    fmt::print("{}", help_of(app, named.path, STDOUT_FILENO));
    return Exit::done;
  }
  const std::string fault = fault_of_group(named);
  if (!fault.empty()) {
    if (named.rest.empty()) fmt::print(stderr, "{}\n", help_of(*named.app, named.path, STDERR_FILENO));
    return complain_of_usage(named, fault);
  }
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return Exit::done;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help_of(*named.app, named.path, STDOUT_FILENO));
    return Exit::done;
  } catch (const CLI::ParseError& error) {
    return complain_of_usage(named, fault_of(named, error));
  }
  hide_secrets(Arguments(arguments, static_cast<std::size_t>(argument_count)));
  return reported(chosen);
}

}  // namespace

int run(int argument_count, char** arguments) {
  return static_cast<int>(run_program(argument_count, arguments));
}

}  // namespace socialsync::cli
