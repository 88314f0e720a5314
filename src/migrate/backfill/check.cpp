#include "migrate/backfill/check.hpp"

#include <string>

#include <fmt/core.h>

namespace socialsync::migrate {
namespace {

using Kind = BackfillColumn::Kind;

// The line's own text for that name, or NULL.
std::string text_of(const BackfillHeader& header, std::string_view name) {
  return header.has(name) ? fmt::format("nullif(btrim(l.{}, E' \\t\\r\\n'), '')", name) : "NULL::text";
}

// The key of a line's account, for messages.
std::string account_of(const BackfillHeader& header) {
  return fmt::format("concat_ws(' ', {}, coalesce({}, {}))", text_of(header, "platform"),
                     text_of(header, "id"), text_of(header, "account_id"));
}

void add_problems(pg::Session& session, const std::string& select) {
  session.execute("INSERT INTO pg_temp.backfill_problems (line, message) " + select);
}

// Lines whose shape is right.
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

// A varchar's limit is in its type; secrets may have been made wider.
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
    case Kind::text: return check_length(session, header, column);
    case Kind::status:
      return add_problems_where(
          session, fmt::format("format('webhook_status is inactive, active or error, not %s', {})", text),
          text + " NOT IN ('inactive', 'active', 'error')");
    case Kind::events:
      return add_problems_where(
          session, "'webhook_events is a list such as messages,comments'",
          fmt::format("regexp_replace({}, '[{{}}\"\\s]', '', 'g') !~ '^([A-Za-z0-9_]+(,[A-Za-z0-9_]+)*)?$'",
                      text));
    case Kind::json:
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

// A function, since a cast that fails would end the statement.
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

}  // namespace

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

void check_lines(pg::Session& session, const BackfillHeader& header, bool accounts) {
  session.execute(make_problems);
  if (accounts) check_accounts(session, header);
  for (const BackfillColumn* column : header.columns) {
    check_value(session, header, *column);
    if (accounts && column->is_unique) check_unique(session, header, *column);
  }
  session.execute("ANALYZE pg_temp.backfill_problems");
}

}  // namespace socialsync::migrate
