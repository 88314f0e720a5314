// A command and its options, as the parser of arguments (CLI11) knows them. Only command.cpp and run.cpp
// include that parser: it is one large header that costs five seconds in each file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace socialsync::cli {

// What the arguments ask for; the result is the program's exit code.
using Action = std::function<int()>;

// What is wrong with a value; empty when nothing is.
using Fault = std::function<std::string(const std::string& value)>;

// One option or positional argument. A handle: copies are the same option.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option required(bool is_required = true);
  // What stands for the value in the help.
  Option type_name(const std::string& name);
  Option shows_default();
  Option hidden();
  // The words it takes; in the help too where they are listed.
  Option one_of(const std::vector<std::string>& words, bool are_listed = true);
  // Whole numbers, N in the help.
  Option between(std::int64_t min, std::int64_t max);
  Option positive();
  Option check(const Fault& fault);
  Option excludes(Option other);
  Option needs(Option other);
  // Each value goes to its function by itself.
  Option repeated();
  Option separated_by(char delimiter);
  Option value_optional();
  bool is_given() const;

 private:
  CLI::Option* option_;
};

// The program itself, or one of its subcommands. A handle: copies are the same command.
class Command {
 public:
  Command(CLI::App& app, Action& chosen) : app_(&app), chosen_(&chosen) {}

  Command add_subcommand(const std::string& name, const std::string& description);
  void require_subcommand();
  // Options of which one at most may be given, under a title of their own.
  Command add_alternatives(const std::string& title, const std::string& description);

  // T is one of the types that command.cpp names. A vector's option takes one value, and may be repeated.
  template <class T>
  Option add_option(const std::string& name, T& value, const std::string& description);
  Option add_option_function(const std::string& name,
                             const std::function<void(const std::string& value)>& take,
                             const std::string& description);
  // One of the words, which stand for values.
  template <class T, class Meaning>
  Option add_choice(const std::string& name, T& value, const std::map<std::string, Meaning>& words,
                    const std::string& description);
  Option add_flag(const std::string& name, bool& is_given, const std::string& description);
  Option add_flag(const std::string& name, const std::function<void()>& when_given,
                  const std::string& description);

  // After the options in the help: examples, exit codes.
  void footer(const std::string& text);
  // What is done when this command is the one that was asked for.
  void runs(Action action);

 private:
  CLI::App* app_;
  Action* chosen_;
};

template <class T, class Meaning>
Option Command::add_choice(const std::string& name, T& value, const std::map<std::string, Meaning>& words,
                           const std::string& description) {
  std::vector<std::string> names;
  for (const auto& [word, meaning] : words) names.push_back(word);
  const auto take = [&value, words](const std::string& word) { value = words.at(word); };
  return add_option_function(name, take, description).one_of(names, false);
}

}  // namespace socialsync::cli
