#include "migrate/steps/doctor.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "base/failure.hpp"
#include "migrate/catalogue.hpp"

namespace socialsync::migrate {
namespace {

using State = Diagnosis::State;

// One question to the catalogue: each row is a finding's text. No row: the good one.
struct Question {
  const char* id;
  State when_found;
  const char* sql;
  const char* good;
  const char* todo;
};

constexpr Question questions[] = {
    {"D05", State::warning, R"(
SELECT format('pid %s %s for %s (app=%s, role %s)', pid, state, date_trunc('second', clock_timestamp() - xact_start),
              coalesce(nullif(application_name, ''), 'unnamed'), usename)
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > interval '1 minute'
ORDER BY xact_start LIMIT 10)",
     "no transaction is older than a minute", "end it: locks and concurrent index builds wait for it"},
    {"D06", State::warning, R"(
SELECT line FROM pg_temp.wraparound_vacuum('{public.social_accounts,public.users,public.webhook_logs}') AS line
WHERE line IS NOT NULL)",
     "no autovacuum against wraparound is in the way", "apply stops with exit 4 where it comes to its lock"},
    {"D07", State::warning, R"(
SELECT format('publication %s has %s.%s', pubname, schemaname, tablename) FROM pg_publication_tables
WHERE schemaname = 'public' AND tablename = 'social_accounts')",
     "social_accounts is in no publication", "give subscribers the new columns first, or replication stops"},
    {"D08", State::warning, R"(
SELECT 'clients with a prepared SELECT * or RETURNING * on social_accounts get 0A000 when the columns come'
FROM pg_temp.steps() WHERE (step).id = 'columns' AND NOT (step).present)",
     "no column is to come", "let them connect again after apply (PgBouncer: RECONNECT)"},
    {"D09", State::warning, R"(
SELECT format('role %s reads social_accounts, and gets a policy to see all rows as before', role)
FROM (SELECT DISTINCT p.role FROM pg_class AS c, pg_temp.privileges(c.oid) AS p
      WHERE c.oid = to_regclass('public.social_accounts') AND NOT c.relrowsecurity
        AND p.role NOT IN (pg_get_userbyid(c.relowner), 'PUBLIC', 'anon', 'authenticated', 'service_role')) AS r
UNION ALL
SELECT format('role %s reads social_accounts through %s, and would see no rows', m.member::regrole, m.roleid::regrole)
FROM pg_class AS c, pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member
WHERE c.oid = to_regclass('public.social_accounts') AND NOT c.relrowsecurity AND m.roleid = c.relowner
  AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolbypassrls AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
UNION ALL
SELECT format('role %s can read all data, and would see no rows', r.rolname)
FROM pg_roles AS r
WHERE r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolbypassrls AND pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
  AND EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND NOT relrowsecurity
              AND NOT pg_has_role(r.oid, relowner, 'USAGE')))",
     "nobody but the owner reads social_accounts", "for those that would see none: apply --rls-role ROLE"},
    {"D10", State::warning, R"(
SELECT format('%s is unique per user and platform: one user cannot have two accounts of a platform', conname)
FROM pg_constraint
WHERE conrelid = to_regclass('public.social_accounts') AND contype = 'u'
  AND pg_get_constraintdef(oid) ~ 'UNIQUE \((user_id, platform|platform, user_id)\)')",
     "a user may have several accounts of a platform",
     "drop it when you need that: socialsync migrate contract"},
    {"D11", State::warning, R"(
SELECT format('trigger %s fires on every row that backfill fills', tgname)
FROM pg_trigger
WHERE tgrelid = to_regclass('public.social_accounts') AND NOT tgisinternal AND tgenabled IN ('O', 'A')
  AND tgtype & 16 > 0 AND tgtype & 1 > 0)",
     "no trigger fires for each row of an update", "nothing, if it only sets updated_at"},
    {"D12", State::warning, "SELECT pg_temp.access_warnings()", "nothing is open that should not be",
     "see above"},
};

// How bad rows of each kind are, and what to do about them.
struct RowKind {
  std::string_view kind;
  const char* id;
  State state;
  const char* todo;
};

constexpr RowKind row_kinds[] = {
    {"lacking", "D13", State::warning,
     "after apply: socialsync migrate backfill, then apply again for its CHECK"},
    {"empty", "D13", State::warning, "give them the key that webhooks name: no webhook reaches them so"},
    {"duplicate", "D14", State::bad,
     "keep it for one of them: it decides whose a webhook is; or apply --duplicates quarantine"},
    {"orphan", "D15", State::warning, "delete them, or give them to a user"},
};

void ask(pg::Session& session, const Question& question, std::vector<Diagnosis>& findings) {
  const pg::ResultSet rows = session.query(question.sql);
  if (rows.rows() == 0) findings.push_back({.id = question.id, .found = question.good});
  for (std::size_t row = 0; row < rows.rows(); ++row)
    findings.push_back({.id = question.id,
                        .state = question.when_found,
                        .found = std::string(rows.text(row, 0)),
                        .todo = question.todo});
}

void ask_data(Catalogue& catalogue, std::vector<Diagnosis>& findings) {
  const std::vector<RowsInTheWay> rows = catalogue.rows_in_the_way();
  for (const RowsInTheWay& found : rows) {
    const auto kind = std::ranges::find(row_kinds, found.kind, &RowKind::kind);
    if (kind == std::end(row_kinds)) throw std::logic_error("no such kind of rows: " + found.kind);
    findings.push_back({.id = kind->id, .state = kind->state, .found = found.found, .todo = kind->todo});
  }
  if (rows.empty())
    findings.push_back(
        {.id = "D13", .found = "every account has the key that routes to it, and each key is one's"});
}

void add_all(std::vector<Diagnosis>& findings, const char* id, const std::vector<std::string>& lines,
             const char* good, const char* todo) {
  if (lines.empty()) findings.push_back({.id = id, .found = good});
  for (const std::string& line : lines)
    findings.push_back({.id = id, .state = State::bad, .found = line, .todo = todo});
}

}  // namespace

std::vector<Diagnosis> examine(const pg::ConnectionOptions& options) {
  std::vector<Diagnosis> findings;
  std::unique_ptr<Catalogue> catalogue;
  try {
    catalogue = std::make_unique<Catalogue>(options, Catalogue::Use::read);
  } catch (const Failure& failure) {
    findings.push_back({.id = "D01", .state = State::bad, .found = failure.what()});
    return findings;
  }
  pg::Session& session = catalogue->session();
  const pg::ResultSet server = session.query("SELECT current_setting('server_version'), current_user");
  findings.push_back(
      {.id = "D01",
       .found = fmt::format("PostgreSQL {}, primary, writable, no pooler in between", server.text(0, 0))});
  add_all(findings, "D02", catalogue->missing_rights(), "this role has all rights that apply needs",
          "give the right, or run as the owner");
  const std::vector<std::string> conflicts = catalogue->conflicts();
  add_all(findings, "D03", conflicts, "nothing of our names is something else",
          "rename or drop it: apply changes nothing until then");
  for (const Question& question : questions) ask(session, question, findings);
  try {
    if (conflicts.empty()) ask_data(*catalogue, findings);
  } catch (const pg::Error& error) {
    findings.push_back({.id = "D13",
                        .state = State::warning,
                        .found = fmt::format("the rows of social_accounts cannot be read: {}", error.what()),
                        .todo = "run doctor as its owner"});
  }
  return findings;
}

}  // namespace socialsync::migrate
