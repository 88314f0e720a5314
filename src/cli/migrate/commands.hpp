// `socialsync migrate …`: one file for related subcommands.
#pragma once

#include "cli/app/runner.hpp"

namespace socialsync::cli::migration {

// application_name of the sessions.
inline const Common migration_session{.dsn = {}, .output = Output::text, .application = "socialsync migrate"};

struct NoOptions {};

void add_doctor(Command migrate);
void add_backup(Command migrate);
void add_plan(Command migrate);
void add_apply(Command migrate);
void add_backfill(Command migrate);
void add_verify(Command migrate);
void add_route_test(Command migrate);
void add_status(Command migrate);
void add_rollback(Command migrate);
void add_contract(Command migrate);
void add_sql(Command migrate);

}  // namespace socialsync::cli::migration
