#pragma once

#include <map>
#include <memory>
#include <string>

#include "cli/accounts/draft.hpp"
#include "cli/accounts/fields.hpp"
#include "cli/app/command.hpp"

namespace socialsync::cli::accounts {

// A draft, as the command line gives it: secrets are where they can be read, not what they are.
struct DraftOptions {
  Draft draft;
  std::map<std::string, std::string> secret_files;  // by the field's name
  bool any_event = false;
};

// An option for each field.
void add_draft_options(Command command, const std::shared_ptr<DraftOptions>& options);

// Reads the secrets into the draft. Throws Failure (wrong_usage) when one cannot be read, when two
// are to come from standard input, or for what is wrong with the draft, all of it.
void finish_draft(DraftOptions& options, bool is_new);

}  // namespace socialsync::cli::accounts
