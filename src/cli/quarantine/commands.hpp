// `socialsync quarantine …`: one file per subcommand. What they share is here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "store/quarantine.hpp"

namespace socialsync::cli::quarantine {

void add_list(Command quarantine);
void add_show(Command quarantine);
void add_reroute(Command quarantine);
void add_purge(Command quarantine);

// --reason, --platform, --routing-key, --since, --until and --id fill the filter.
void add_filter(Command command, store::QuarantineFilter& filter);

// The columns of a summary: reason, rows, bytes, oldest, newest.
void print_counts(const std::vector<store::QuarantineCount>& counts);

}  // namespace socialsync::cli::quarantine
