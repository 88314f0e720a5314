#include "migrate/backfill/load.hpp"

#include <string>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/backfill/columns.hpp"
#include "migrate/backfill/csv.hpp"
#include "migrate/query.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

// The file with two more columns before each line: its number, and the fault of its shape.
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
    if (error.sqlstate() != pg::sqlstate::character_not_in_repertoire) throw;
    throw Failure(Exit::data_blocks,
                  "the file is not in UTF-8: save it as UTF-8 (in Excel: 'CSV UTF-8'), or convert it with "
                  "iconv -f WINDOWS-1252 -t UTF-8");
  }
  session.execute("ANALYZE pg_temp.backfill_lines");
}

// SQL: the trimmed field of the line, or NULL.
std::string text_of(const BackfillHeader& header, std::string_view name) {
  return header.has(name) ? fmt::format("nullif(btrim(l.{}, E' \\t\\r\\n'), '')", name) : "NULL::text";
}

// SQL: the names by which a line identifies its account, for messages.
std::string account_of(const BackfillHeader& header) {
  return fmt::format("concat_ws(' ', {}, coalesce({}, {}))", text_of(header, "platform"),
                     text_of(header, "id"), text_of(header, "account_id"));
}

void add_problems(pg::Session& session, const std::string& select) {
  session.execute("INSERT INTO pg_temp.backfill_problems (line, message) " + select);
}

// Adds the message to each well-formed line that satisfies the condition.
void add_problems_where(pg::Session& session, const std::string& message, const std::string& condition) {
  add_problems(
      session,
      fmt::format("SELECT l.line, {} FROM pg_temp.backfill_lines AS l WHERE l.problem IS NULL AND {}",
                  message, condition));
}

void check_accounts(pg::Session& session, const BackfillHeader& header) {
  add_problems_where(session, "'it names no account'", account_of(header) + " = ''");
  add_problems_where(
      session, fmt::format("format('no account %s', {})", account_of(header)),
      account_of(header) +
          " <> '' AND NOT EXISTS (SELECT FROM pg_temp.backfill_matches AS m WHERE m.line = l.line)");
  add_problems(session,
               fmt::format("SELECT line, format('%s is the account_id of several accounts, say the "
                           "platform too, or the id: %s', {}, ids) FROM pg_temp.backfill_lines AS l JOIN "
                           "(SELECT line, string_agg(id::text, ', ' ORDER BY id) AS ids FROM "
                           "pg_temp.backfill_matches GROUP BY line HAVING count(*) > 1) AS m USING (line)",
                           account_of(header)));
  add_problems(
      session,
      "SELECT line, format('account %s is on line %s too', id, CASE line WHEN least THEN most ELSE least END)"
      " FROM (SELECT line, id, min(line) OVER same AS least, max(line) OVER same AS most"
      "  FROM pg_temp.backfill_matches WINDOW same AS (PARTITION BY id)) AS m WHERE least <> most");
}

// The limit is that of the column's type now: columns of secrets may have been widened.
void check_length(pg::Session& session, const BackfillHeader& header, const BackfillColumn& column) {
  const std::string text = text_of(header, column.name);
  add_problems(
      session,
      fmt::format("SELECT l.line, format('{0} is %s characters long, its limit is %s', char_length({1}), "
                  "c.atttypmod - 4) FROM pg_temp.backfill_lines AS l JOIN pg_attribute AS c ON c.attrelid = "
                  "'public.social_accounts'::regclass AND c.attname = '{0}' AND c.atttypmod > 0 "
                  "WHERE char_length({1}) > c.atttypmod - 4",
                  column.name, text));
}

void check_value(pg::Session& session, const BackfillHeader& header, const BackfillColumn& column) {
  const std::string text = text_of(header, column.name);
  switch (column.kind) {
    case BackfillColumn::Kind::text: return check_length(session, header, column);
    case BackfillColumn::Kind::status:
      return add_problems_where(
          session, fmt::format("format('webhook_status is inactive, active or error, not %s', {})", text),
          text + " NOT IN ('inactive', 'active', 'error')");
    case BackfillColumn::Kind::events:
      return add_problems_where(
          session, "'webhook_events is a list such as messages,comments'",
          fmt::format("regexp_replace({}, '[{{}}\"\\s]', '', 'g') !~ '^([A-Za-z0-9_]+(,[A-Za-z0-9_]+)*)?$'",
                      text));
    case BackfillColumn::Kind::json:
      return add_problems_where(session, fmt::format("'{} is not a JSON object'", column.name),
                                fmt::format("NOT pg_temp.backfill_is_json_object({})", text));
  }
}

void check_unique(pg::Session& session, const BackfillHeader& header, const BackfillColumn& column) {
  const std::string text = text_of(header, column.name);
  add_problems(
      session,
      fmt::format("SELECT line, format('{0} %s is on line %s too', value, CASE line WHEN least THEN most "
                  "ELSE least END) FROM (SELECT line, value, min(line) OVER same AS least, max(line) OVER "
                  "same AS most FROM (SELECT line, {1} AS value FROM pg_temp.backfill_lines AS l) AS l WHERE "
                  "value IS NOT NULL WINDOW same AS (PARTITION BY value)) AS m WHERE least <> most",
                  column.name, text));
  add_problems(session,
               fmt::format("SELECT l.line, format('{0} %s belongs to account %s already', a.{0}, a.id) FROM "
                           "pg_temp.backfill_lines AS l JOIN pg_temp.backfill_matches AS m USING (line) "
                           "JOIN public.social_accounts AS a ON a.{0} = {1} AND a.id <> m.id",
                           column.name, text));
}

// A function, because a failing cast would end the statement.
constexpr const char* make_problems = R"(
CREATE TEMPORARY TABLE backfill_problems (line bigint, message text);
CREATE OR REPLACE FUNCTION pg_temp.backfill_is_json_object(value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN jsonb_typeof(value::jsonb) = 'object';
EXCEPTION WHEN data_exception OR statement_too_complex OR untranslatable_character THEN
  RETURN false;
END $$;
INSERT INTO pg_temp.backfill_problems
SELECT line, problem FROM pg_temp.backfill_lines WHERE problem IS NOT NULL)";

void match_accounts(pg::Session& session, const BackfillHeader& header) {
  const std::string id = text_of(header, "id");
  const std::string platform = text_of(header, "platform");
  session.execute(fmt::format(
      "CREATE TEMPORARY TABLE backfill_matches AS"
      " SELECT l.line, a.id FROM pg_temp.backfill_lines AS l JOIN public.social_accounts AS a ON a.id ="
      "  CASE WHEN {0} ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN ({0})::uuid END"
      " WHERE {1} IS NULL OR a.platform::text = lower({1})"
      " UNION ALL"
      " SELECT l.line, a.id FROM pg_temp.backfill_lines AS l JOIN public.social_accounts AS a ON "
      "a.account_id = {2}"
      " WHERE {0} IS NULL AND ({1} IS NULL OR a.platform::text = lower({1}));"
      "ANALYZE pg_temp.backfill_matches",
      id, platform, text_of(header, "account_id")));
}

void check_lines(pg::Session& session, const BackfillHeader& header) {
  session.execute(make_problems);
  check_accounts(session, header);
  for (const BackfillColumn* column : header.columns) {
    check_value(session, header, *column);
    if (column->is_unique) check_unique(session, header, *column);
  }
  session.execute("ANALYZE pg_temp.backfill_problems");
}

BackfillHeader read_header(CsvReader& reader, Columns allowed) {
  const std::optional<CsvRecord> record = reader.next();
  if (!record) throw Failure(Exit::wrong_usage, "the file is empty: its first line names the columns");
  if (!record->is_closed) throw Failure(Exit::wrong_usage, "a quote in the header is never closed");
  return read_backfill_header(record->text, allowed);
}

std::string typed_columns(const BackfillHeader& header) {
  std::vector<std::string> parts;
  for (const BackfillColumn* column : header.columns)
    parts.push_back(
        fmt::format("{} AS {}", typed_value(*column, fmt::format("l.{}", column->name)), column->name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Lines without a problem become wanted values.
void make_accounts(pg::Session& session, const BackfillHeader& header) {
  session.execute(
      fmt::format("CREATE TEMPORARY TABLE backfill_wanted AS SELECT m.id, {}"
                  " FROM pg_temp.backfill_lines AS l JOIN pg_temp.backfill_matches AS m USING (line)"
                  " WHERE NOT EXISTS (SELECT FROM pg_temp.backfill_problems AS p WHERE p.line = l.line);"
                  "ALTER TABLE pg_temp.backfill_wanted ADD PRIMARY KEY (id);"
                  "ANALYZE pg_temp.backfill_wanted; DROP TABLE pg_temp.backfill_lines",
                  typed_columns(header)));
}

void read_problems(pg::Session& session, WantedValues& wanted) {
  const pg::ResultSet rows = session.query(fmt::format(
      "SELECT line, message FROM pg_temp.backfill_problems ORDER BY line, message LIMIT {}", listed_max));
  for (std::size_t row = 0; row < rows.rows(); ++row)
    wanted.bad_lines.push_back({.line = number_in(rows, row, 0), .message = std::string(rows.text(row, 1))});
  wanted.bad_line_count =
      first_number(session.query("SELECT count(DISTINCT line) FROM pg_temp.backfill_problems"));
}

void add_assignments(BackfillSource& source, const BackfillHeader& header) {
  for (const BackfillColumn* column : header.columns)
    source.assignments.push_back(
        {.column = column, .value = fmt::format("w.{}", column->name), .may_write = {}});
}

}  // namespace

WantedValues load_accounts(pg::Session& session, std::istream& csv, Columns allowed) {
  CsvReader reader(csv);
  const BackfillHeader header = read_header(reader, allowed);
  copy_lines(session, reader, header);
  match_accounts(session, header);
  check_lines(session, header);
  WantedValues wanted;
  read_problems(session, wanted);
  make_accounts(session, header);
  wanted.source.keys = "pg_temp.backfill_wanted";
  wanted.source.joined = "JOIN pg_temp.backfill_wanted AS w ON w.id = a.id";
  wanted.source.total = first_number(session.query("SELECT count(*) FROM pg_temp.backfill_wanted"));
  add_assignments(wanted.source, header);
  return wanted;
}

void allow_writes(BackfillSource& source, bool overwrite) {
  for (BackfillAssignment& assignment : source.assignments)
    assignment.may_write = overwrite ? "true" : is_unset(*assignment.column);
}

}  // namespace socialsync::migrate
