// New values on their way into the database: in temporary tables of this session, checked there, so that
// their number does not matter to us and no statement holds one.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "migrate/backfill/columns.hpp"
#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// A line that cannot be used. The message holds no secret.
struct BadLine {
  std::uint64_t line = 0;
  std::string message;
};

struct WantedValues {
  BackfillSource source;
  std::vector<BadLine> bad_lines;    // the first of them, by line
  std::uint64_t bad_line_count = 0;  // all
};

constexpr std::size_t listed_max = 1000;  // lines and accounts that a report names

enum class Columns {
  of_the_migration,
  all,  // access_token too
};

// Reads a CSV file, its header first: `id`, or `account_id` and perhaps `platform`, and the columns to fill.
// Good lines become the source; the others are told. Throws Failure when the header cannot be used.
WantedValues load_accounts(pg::Session& session, std::istream& csv, Columns allowed);

// The same for one line without an account: values for all accounts that `filter` (a condition on `a`) lets
// through.
WantedValues load_constants(pg::Session& session, std::istream& csv, const std::string& filter);

// What gives way when nothing may be overwritten, or everything.
void allow_writes(BackfillSource& source, bool overwrite);

// What can be wrong with a line of a file, found by PostgreSQL among all of them.
// Makes pg_temp.backfill_matches (line, id): the accounts that each line of pg_temp.backfill_lines names.
void match_accounts(pg::Session& session, const BackfillHeader& header);

// Makes pg_temp.backfill_problems (line, message). `accounts`: the lines name accounts, and have been
// matched.
void check_lines(pg::Session& session, const BackfillHeader& header, bool accounts);

}  // namespace socialsync::migrate
