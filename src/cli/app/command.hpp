// A command and its options, without the parser (CLI11): only command.cpp and program.cpp include that
// header, which costs five seconds a file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "cli/app/help.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace socialsync::cli {

enum class Output { text, json };

// The work of the command that the arguments name. Its errors are exceptions: the program reports them.
struct Action {
  std::function<Exit()> work;
  std::function<Output()> output;  // how errors are reported; empty: as text
};

// Says what is wrong with a value; empty when it is valid.
using Fault = std::function<std::string(const std::string& value)>;

// One option or positional argument. A handle: copies are the same option.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option required(bool is_required = true);
  // The value's placeholder in the help.
  Option type_name(const std::string& name);
  Option shows_default();
  Option hidden();
  // Takes these words only; lists them in the help where `are_listed`.
  Option one_of(const std::vector<std::string>& words, bool are_listed = true);
  // Takes whole numbers of that range; N in the help.
  Option between(std::int64_t min, std::int64_t max);
  Option positive();
  Option check(const Fault& fault);
  Option excludes(Option other);
  Option needs(Option other);
  // May be given several times; its function is called for each value.
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
  Command(CLI::App& app, Action& chosen);

  // `description` is an imperative of at most 80 columns.
  Command add_subcommand(const std::string& name, const std::string& description);
  // Options of which at most one may be given, under a title of their own.
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

  // The end of the help.
  void help(const Help& help);
  void add_exit(ExitNote note);
  // Called when the arguments name this command.
  void runs(std::function<Exit()> work, std::function<Output()> output = {});

 private:
  CLI::App* app_;
  Action* chosen_;
  std::shared_ptr<Help> help_;
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
