// What can be wrong with a line of a file, found by PostgreSQL among all of them.
#pragma once

#include "migrate/backfill/header.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// Makes pg_temp.backfill_matches (line, id): the accounts that each line of pg_temp.backfill_lines names.
void match_accounts(pg::Session& session, const BackfillHeader& header);

// Makes pg_temp.backfill_problems (line, message). `accounts`: the lines name accounts, and have been
// matched.
void check_lines(pg::Session& session, const BackfillHeader& header, bool accounts);

}  // namespace socialsync::migrate
