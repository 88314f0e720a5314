#pragma once

#include <string>
#include <vector>

#include "migrate/backfill/backfill.hpp"
#include "migrate/backfill/load.hpp"

namespace socialsync::cli::migration {

// What there is to tell about a run of `migrate backfill`.
struct BackfillStory {
  std::string run;
  bool can_undo = false;  // values were replaced, and are kept
  bool is_preview = false;
  std::vector<std::string> columns;  // by wish
  std::vector<migrate::BadLine> bad_lines;
  std::uint64_t bad_line_count = 0;
  std::vector<std::string> notes;
  migrate::BackfillReport report;
};

void print_json(const BackfillStory& story);
void print_text(const BackfillStory& story);

}  // namespace socialsync::cli::migration
