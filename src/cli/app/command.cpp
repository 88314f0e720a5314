#include "cli/app/command.hpp"

#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

namespace socialsync::cli {

Option Option::required(bool is_required) {
  option_->required(is_required);
  return *this;
}

Option Option::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Option Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option Option::hidden() {
  option_->group("");
  return *this;
}

Option Option::one_of(const std::vector<std::string>& words, bool are_listed) {
  CLI::IsMember member(words);
  std::string list;  // with blanks, at which the help is wrapped
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  member.description(are_listed ? "{" + list + "}" : "");
  option_->check(member);
  return *this;
}

Option Option::between(std::int64_t min, std::int64_t max) {
  option_->type_name("N")->check(CLI::Range(min, max).description(""));
  return *this;
}

Option Option::positive() {
  option_->check(CLI::Validator(CLI::PositiveNumber).description(""));
  return *this;
}

Option Option::check(const Fault& fault) {
  option_->check(CLI::Validator([fault](std::string& value) { return fault(value); }, ""));
  return *this;
}

Option Option::excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}

Option Option::needs(Option other) {
  option_->needs(other.option_);
  return *this;
}

Option Option::repeated() {
  option_->expected(1)->take_all()->trigger_on_parse();
  return *this;
}

Option Option::separated_by(char delimiter) {
  option_->delimiter(delimiter);
  return *this;
}

Option Option::value_optional() {
  option_->expected(0, 1);
  return *this;
}

bool Option::is_given() const { return option_->count() > 0; }

// Every command has the first three codes. A group of commands does nothing by itself.
Command::Command(CLI::App& app, Action& chosen)
    : app_(&app),
      chosen_(&chosen),
      help_(std::make_shared<Help>(
          Help{.exits = {{Exit::done}, {Exit::internal_error}, {Exit::wrong_usage}}})) {
  app.footer("");  // the parser copies the parent's
  app.footer([help = help_] { return rendered(*help); });
}

Command Command::add_subcommand(const std::string& name, const std::string& description) {
  return Command(*app_->add_subcommand(name, description), *chosen_);
}

Command Command::add_alternatives(const std::string& title, const std::string& description) {
  CLI::Option_group* group = app_->add_option_group(title, description);
  group->require_option(0, 1);
  return Command(*group, *chosen_);
}

template <class T>
Option Command::add_option(const std::string& name, T& value, const std::string& description) {
  CLI::Option* option = app_->add_option(name, value, description);
  if constexpr (CLI::detail::is_mutable_container<T>::value)
    option->expected(1)->take_all()->allow_extra_args(false);
  return Option(*option);
}

template Option Command::add_option(const std::string&, std::string&, const std::string&);
template Option Command::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Option Command::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Command::add_option(const std::string&, std::filesystem::path&, const std::string&);
template Option Command::add_option(const std::string&, int&, const std::string&);
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option Command::add_option(const std::string&, double&, const std::string&);
template Option Command::add_option(const std::string&, std::optional<std::uint64_t>&, const std::string&);
template Option Command::add_option(const std::string&, std::optional<unsigned>&, const std::string&);

Option Command::add_option_function(const std::string& name,
                                    const std::function<void(const std::string& value)>& take,
                                    const std::string& description) {
  return Option(*app_->add_option_function<std::string>(name, take, description));
}

Option Command::add_flag(const std::string& name, bool& is_given, const std::string& description) {
  return Option(*app_->add_flag(name, is_given, description));
}

Option Command::add_flag(const std::string& name, const std::function<void()>& when_given,
                         const std::string& description) {
  return Option(*app_->add_flag_callback(name, when_given, description));
}

void Command::help(const Help& help) {
  help_->notes = help.notes;
  help_->examples = help.examples;
  for (const ExitNote& note : help.exits) add_exit(note);
}

void Command::add_exit(ExitNote note) { cli::add_exit(*help_, note); }

void Command::runs(std::function<Exit()> work, std::function<Output()> output) {
  app_->callback(
      [chosen = chosen_, action = Action{std::move(work), std::move(output)}] { *chosen = action; });
}

}  // namespace socialsync::cli
