// The forms of `migrate backfill`: each turns what the command line says into a source.
#pragma once

#include <string>

#include "cli/migrate/backfill_report.hpp"
#include "config/config.hpp"
#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::cli::migration {

struct BackfillForm {
  bool from_env = false;
  std::string account;
  std::string csv;  // a path, or -
  std::string set;
  bool business_name = false;
  std::string undo;  // a run
  bool overwrite = false;
};

// Throws Failure (wrong_usage) unless exactly one form is chosen, and only with options of its own.
void check_form(const BackfillForm& form);

// The source; bad lines and notes go to the story. Throws Failure and pg::Error.
migrate::BackfillSource load_source(pg::Session& session, const BackfillForm& form,
                                    const config::Config& config, BackfillStory& story);

}  // namespace socialsync::cli::migration
