// `socialsync migrate …`: one file per subcommand.
#pragma once

#include "cli/commands.hpp"
#include "cli/common.hpp"

namespace socialsync::cli::migration {

void add_doctor(Command migrate);
void add_plan(Command migrate);
void add_apply(Command migrate);
void add_rollback(Command migrate);
void add_status(Command migrate);
void add_contract(Command migrate);
void add_backup(Command migrate);
void add_backfill(Command migrate);
void add_sql(Command migrate);
void add_verify(Command migrate);
void add_route_test(Command migrate);

using cli::add_common;
using cli::ask_database;
using cli::Common;
using cli::database_of;
using cli::guarded;
using cli::Output;
using cli::settings_of;

}  // namespace socialsync::cli::migration
