#include "cli/accounts/draft_options.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/accounts/secret_input.hpp"

namespace socialsync::cli::accounts {
namespace {

const char* type_name_of(Field::Kind kind) {
  switch (kind) {
    case Field::Kind::digits: return "ID";
    case Field::Kind::number: return "NUMBER";
    case Field::Kind::url: return "URL";
    case Field::Kind::events:
    case Field::Kind::ids: return "LIST";
    case Field::Kind::secret: return "FILE";
    case Field::Kind::text: break;
  }
  return "TEXT";
}

}  // namespace

void add_draft_options(Command command, const std::shared_ptr<DraftOptions>& options) {
  for (const Field& field : fields()) {
    const std::string name(field.name);
    const bool is_secret = field.kind == Field::Kind::secret;
    const auto take = [options, name, is_secret](const std::string& value) {
      (is_secret ? options->secret_files : options->draft.values)[name] = value;
    };
    const std::string description =
        std::string(field.description) + (is_secret ? "; - is standard input" : "");
    command.add_option_function(option_of(field), take, description).type_name(type_name_of(field.kind));
  }
  command.add_flag("--any-event", options->any_event,
                   "Take --webhook-events that this version does not know");
}

void finish_draft(DraftOptions& options, bool is_new) {
  const auto from_input = [](const auto& file) { return file.second == "-"; };
  if (std::ranges::count_if(options.secret_files, from_input) > 1)
    throw Failure(Exit::wrong_usage, "only one secret can come from standard input");
  for (const auto& [name, path] : options.secret_files) options.draft.values[name] = read_secret(path, name);
  const std::vector<std::string> faults = faults_of(options.draft, is_new, options.any_event);
  if (!faults.empty()) throw Failure(Exit::wrong_usage, fmt::format("{}", fmt::join(faults, "\n  ")));
}

}  // namespace socialsync::cli::accounts
