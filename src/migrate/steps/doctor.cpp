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

// A query whose rows are findings. Without rows the finding is `good`.
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
     "no transaction is older than a minute",
     "end this transaction: locks and concurrent index builds wait for it"},
    {"D06", State::warning, R"(
SELECT line FROM pg_temp.wraparound_vacuum('{public.social_accounts,public.users,public.webhook_logs}') AS line
WHERE line IS NOT NULL)",
     "no autovacuum against wraparound runs", "apply stops with exit code 4 when it needs this table's lock"},
    {"D07", State::warning, R"(
SELECT format('publication %s has %s.%s', pubname, schemaname, tablename) FROM pg_publication_tables
WHERE schemaname = 'public' AND tablename = 'social_accounts')",
     "social_accounts is in no publication",
     "add the new columns to the subscribers first, or replication stops"},
    {"D08", State::warning, R"(
SELECT 'clients with a prepared SELECT * or RETURNING * on social_accounts get 0A000 when the columns are added'
FROM pg_temp.steps() WHERE (step).id = 'columns' AND NOT (step).present)",
     "all columns exist", "reconnect these clients after apply (PgBouncer: RECONNECT)"},
    {"D09", State::warning, R"(
SELECT format('role %s reads social_accounts; apply gives it a policy to see all rows as before', role)
FROM (SELECT DISTINCT p.role FROM pg_class AS c, pg_temp.privileges(c.oid) AS p
      WHERE c.oid = to_regclass('public.social_accounts') AND NOT c.relrowsecurity
        AND p.role NOT IN (pg_get_userbyid(c.relowner), 'PUBLIC', 'anon', 'authenticated', 'service_role')) AS r
UNION ALL
SELECT format('role %s reads social_accounts through %s, and would see no rows after apply', m.member::regrole, m.roleid::regrole)
FROM pg_class AS c, pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member
WHERE c.oid = to_regclass('public.social_accounts') AND NOT c.relrowsecurity AND m.roleid = c.relowner
  AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolbypassrls AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
UNION ALL
SELECT format('role %s can read all data, and would see no rows after apply', r.rolname)
FROM pg_roles AS r
WHERE r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolbypassrls AND pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
  AND EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND NOT relrowsecurity
              AND NOT pg_has_role(r.oid, relowner, 'USAGE')))",
     "only the owner reads social_accounts", "for a role that would see no rows: apply --rls-role ROLE"},
    {"D10", State::warning, R"(
SELECT format('%s is unique per user and platform: one user cannot have two accounts of a platform', conname)
FROM pg_constraint
WHERE conrelid = to_regclass('public.social_accounts') AND contype = 'u'
  AND pg_get_constraintdef(oid) ~ 'UNIQUE \((user_id, platform|platform, user_id)\)')",
     "a user may have several accounts of a platform",
     "to allow several, drop the constraint: socialsync migrate contract"},
    {"D11", State::warning, R"(
SELECT format('trigger %s fires on every row that backfill fills', tgname)
FROM pg_trigger
WHERE tgrelid = to_regclass('public.social_accounts') AND NOT tgisinternal AND tgenabled IN ('O', 'A')
  AND tgtype & 16 > 0 AND tgtype & 1 > 0)",
     "no trigger fires for each row of an update", "harmless if it only sets updated_at"},
    {"D12", State::warning, "SELECT pg_temp.access_warnings()", "no privilege is wider than it should be",
     "see above"},
};

// The finding for each kind of BlockingRows.
struct RowKind {
  std::string_view kind;
  const char* id;
  State state;
  const char* todo;
};

constexpr RowKind row_kinds[] = {
    {"lacking", "D13", State::warning,
     "after apply: socialsync migrate backfill, then apply again for its CHECK"},
    {"empty", "D13", State::warning, "set the key that webhooks carry: no webhook reaches these accounts"},
    {"duplicate", "D14", State::bad,
     "keep the key on one account, which then receives its webhooks; or apply --duplicates quarantine"},
    {"orphan", "D15", State::warning, "delete these accounts, or set their user_id"},
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
  const std::vector<BlockingRows> rows = catalogue.blocking_rows();
  for (const BlockingRows& found : rows) {
    const auto kind = std::ranges::find(row_kinds, found.kind, &RowKind::kind);
    if (kind == std::end(row_kinds)) throw std::logic_error("unknown kind of rows: " + found.kind);
    findings.push_back({.id = kind->id, .state = kind->state, .found = found.found, .todo = kind->todo});
  }
  if (rows.empty())
    findings.push_back(
        {.id = "D13", .found = "every account has its routing key, and no two accounts share one"});
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
  add_all(findings, "D02", catalogue->missing_rights(), "this role has all privileges that apply needs",
          "grant the privilege, or run as the owner");
  const std::vector<std::string> conflicts = catalogue->conflicts();
  add_all(findings, "D03", conflicts, "no other object has a name that apply needs",
          "rename or drop the object: until then apply changes nothing");
  for (const Question& question : questions) ask(session, question, findings);
  try {
    if (conflicts.empty()) ask_data(*catalogue, findings);
  } catch (const pg::Error& error) {
    findings.push_back({.id = "D13",
                        .state = State::warning,
                        .found = fmt::format("rows of social_accounts not readable: {}", error.what()),
                        .todo = "run doctor as the owner of social_accounts"});
  }
  return findings;
}

}  // namespace socialsync::migrate
