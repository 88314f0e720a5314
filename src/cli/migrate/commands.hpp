// `socialsync migrate …`: one file per subcommand.
#pragma once

#include "cli/commands.hpp"
#include "cli/common.hpp"

namespace socialsync::cli::migration {

void add_doctor(CLI::App& migrate, Action& chosen);
void add_plan(CLI::App& migrate, Action& chosen);
void add_apply(CLI::App& migrate, Action& chosen);
void add_rollback(CLI::App& migrate, Action& chosen);
void add_status(CLI::App& migrate, Action& chosen);
void add_contract(CLI::App& migrate, Action& chosen);
void add_backup(CLI::App& migrate, Action& chosen);
void add_backfill(CLI::App& migrate, Action& chosen);
void add_sql(CLI::App& migrate, Action& chosen);
void add_verify(CLI::App& migrate, Action& chosen);
void add_route_test(CLI::App& migrate, Action& chosen);

using cli::add_common;
using cli::ask_database;
using cli::Common;
using cli::database_of;
using cli::guarded;
using cli::Output;
using cli::settings_of;

}  // namespace socialsync::cli::migration
