#include "migrate/backfill/load.hpp"

#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/backfill/check.hpp"
#include "migrate/backfill/csv.hpp"
#include "migrate/backfill/header.hpp"

namespace socialsync::migrate {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr const char* character_not_in_repertoire = "22021";

// The file with two columns in front of each line: its number, and what is wrong with its shape.
class NumberedLines {
 public:
  NumberedLines(CsvReader& reader, const BackfillHeader& header) : reader_(reader), header_(header) {}

  std::string_view next() {
    piece_.clear();
    while (piece_.size() < piece_bytes) {
      const std::optional<CsvRecord> record = reader_.next();
      if (!record) break;
      append(*record);
    }
    return piece_;
  }

 private:
  std::string problem_of(const CsvRecord& record) const {
    if (!record.is_closed) return "a quote is opened and never closed";
    if (!record.is_whole) return "longer than 1 MiB: is a quote missing?";
    const std::size_t fields = count_csv_fields(record.text, header_.delimiter);
    if (fields == header_.names.size()) return {};
    return fmt::format("{} fields, but the header has {}", fields, header_.names.size());
  }

  void append(const CsvRecord& record) {
    const char d = header_.delimiter;
    const std::string problem = problem_of(record);
    const std::string fields = problem.empty() ? record.text : std::string(header_.names.size() - 1, d);
    fmt::format_to(std::back_inserter(piece_), "{}{}{}{}{}\n", record.line, d,
                   problem.empty() ? "" : csv_quoted(problem), d, fields);
  }

  CsvReader& reader_;
  const BackfillHeader& header_;
  std::string piece_;
};

void copy_lines(pg::Session& session, CsvReader& reader, const BackfillHeader& header) {
  std::string definitions = "line bigint, problem text";
  for (const std::string& name : header.names) definitions += fmt::format(", {} text", name);
  session.execute(fmt::format("CREATE TEMPORARY TABLE backfill_lines ({})", definitions));
  NumberedLines lines(reader, header);
  try {
    session.copy_in(
        fmt::format("COPY pg_temp.backfill_lines FROM STDIN (FORMAT csv, DELIMITER E'{}', NULL '')",
                    header.delimiter == '\t' ? "\\t" : std::string(1, header.delimiter)),
        [&lines] { return lines.next(); });
  } catch (const pg::Error& error) {
    if (error.sqlstate() != character_not_in_repertoire) throw;
    throw Failure(Exit::data_blocks,
                  "the file is not in UTF-8: save it as UTF-8 (in Excel: 'CSV UTF-8'), or convert it with "
                  "iconv -f WINDOWS-1252 -t UTF-8");
  }
  session.execute("ANALYZE pg_temp.backfill_lines");
}

BackfillHeader read_header(CsvReader& reader, bool accounts, bool old_columns) {
  const std::optional<CsvRecord> record = reader.next();
  if (!record) throw Failure(Exit::wrong_usage, "the file is empty: its first line names the columns");
  if (!record->is_closed) throw Failure(Exit::wrong_usage, "a quote in the header is never closed");
  return read_backfill_header(record->text, accounts, old_columns);
}

std::string typed_columns(const BackfillHeader& header) {
  std::vector<std::string> parts;
  for (const BackfillColumn* column : header.columns)
    parts.push_back(
        fmt::format("{} AS {}", typed_value(*column, fmt::format("l.{}", column->name)), column->name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Only what is good becomes a wish.
void make_accounts(pg::Session& session, const BackfillHeader& header) {
  session.execute(
      fmt::format("CREATE TEMPORARY TABLE backfill_wanted AS SELECT m.id, {}"
                  " FROM pg_temp.backfill_lines AS l JOIN pg_temp.backfill_matches AS m USING (line)"
                  " WHERE NOT EXISTS (SELECT FROM pg_temp.backfill_problems AS p WHERE p.line = l.line);"
                  "ALTER TABLE pg_temp.backfill_wanted ADD PRIMARY KEY (id);"
                  "ANALYZE pg_temp.backfill_wanted; DROP TABLE pg_temp.backfill_lines",
                  typed_columns(header)));
}

void make_constants(pg::Session& session, const BackfillHeader& header) {
  session.execute(
      fmt::format("CREATE TEMPORARY TABLE backfill_wanted AS SELECT {} FROM pg_temp.backfill_lines AS l"
                  " WHERE NOT EXISTS (SELECT FROM pg_temp.backfill_problems);"
                  "ANALYZE pg_temp.backfill_wanted; DROP TABLE pg_temp.backfill_lines",
                  typed_columns(header)));
}

std::uint64_t number(pg::Session& session, const std::string& sql) {
  return std::stoull(std::string(session.query(sql).text(0, 0)));
}

void read_problems(pg::Session& session, WantedValues& wanted) {
  const pg::ResultSet rows = session.query(fmt::format(
      "SELECT line, message FROM pg_temp.backfill_problems ORDER BY line, message LIMIT {}", listed_max));
  for (std::size_t row = 0; row < rows.rows(); ++row)
    wanted.bad_lines.push_back(
        {.line = std::stoull(std::string(rows.text(row, 0))), .message = std::string(rows.text(row, 1))});
  wanted.bad_line_count = number(session, "SELECT count(DISTINCT line) FROM pg_temp.backfill_problems");
}

void add_wishes(BackfillSource& source, const BackfillHeader& header) {
  for (const BackfillColumn* column : header.columns)
    source.wishes.push_back({.column = column, .value = fmt::format("w.{}", column->name), .may_write = {}});
}

}  // namespace

WantedValues load_accounts(pg::Session& session, std::istream& csv, Columns allowed) {
  CsvReader reader(csv);
  const BackfillHeader header = read_header(reader, true, allowed == Columns::all);
  copy_lines(session, reader, header);
  match_accounts(session, header);
  check_lines(session, header, true);
  WantedValues wanted;
  read_problems(session, wanted);
  make_accounts(session, header);
  wanted.source.keys = "pg_temp.backfill_wanted";
  wanted.source.joined = "JOIN pg_temp.backfill_wanted AS w ON w.id = a.id";
  wanted.source.total = number(session, "SELECT count(*) FROM pg_temp.backfill_wanted");
  add_wishes(wanted.source, header);
  return wanted;
}

WantedValues load_constants(pg::Session& session, std::istream& csv, const std::string& filter) {
  CsvReader reader(csv);
  const BackfillHeader header = read_header(reader, false, false);
  copy_lines(session, reader, header);
  check_lines(session, header, false);
  WantedValues wanted;
  read_problems(session, wanted);
  make_constants(session, header);
  wanted.source.joined = "CROSS JOIN pg_temp.backfill_wanted AS w";
  wanted.source.filter = filter;
  add_wishes(wanted.source, header);
  return wanted;
}

void allow_writes(BackfillSource& source, bool overwrite) {
  for (BackfillWish& wish : source.wishes) wish.may_write = overwrite ? "true" : is_unset(*wish.column);
}

}  // namespace socialsync::migrate
