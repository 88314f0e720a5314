// Loads new values into temporary tables of the session and checks them there: memory use does not grow with
// their number, and no statement text contains a value.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "migrate/backfill/columns.hpp"
#include "migrate/backfill/source.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// An unusable line. The message holds no secret.
struct BadLine {
  std::uint64_t line = 0;
  std::string message;
};

struct WantedValues {
  BackfillSource source;
  std::vector<BadLine> bad_lines;  // in order, at most `listed_max`
  std::uint64_t bad_line_count = 0;
};

constexpr std::size_t listed_max = 1000;  // lines and accounts named in a report

// Reads a CSV file whose header names `id`, or `account_id` and optionally `platform`, and the columns to
// fill. Good lines become the source. Throws Failure for an unusable header.
WantedValues load_accounts(pg::Session& session, std::istream& csv, Columns allowed);

// Allows each assignment to overwrite every value, or only an unset one.
void allow_writes(BackfillSource& source, bool overwrite);

}  // namespace socialsync::migrate
