#include "migrate/verify/verify.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "migrate/query.hpp"
#include "migrate/verify/trial.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::embedded {
std::string_view embedded_probes(std::string_view file_name);
}

namespace socialsync::migrate {
namespace {

constexpr std::size_t items_told_max = 10;

// A query of sql/verify returns a row for each checked item: true, false, or NULL when it cannot be checked;
// the item's text; and advice other than applying the migration. A text that begins with "note: " is shown
// for a passed item too.
struct CatalogueProbe {
  const char* id;
  const char* title;
  const char* file;
  const char* items;        // its rows, in the summary
  bool reads_rows = false;  // of social_accounts: skipped when row-level security hides some
  bool wants_settings = false;
};

constexpr std::array catalogue_probes = {
    CatalogueProbe{"V01", "columns of social_accounts", "columns.sql", "columns"},
    CatalogueProbe{"V02", "labels of social_platform", "labels.sql", "labels"},
    CatalogueProbe{"V03", "CHECKs hold for every row", "checks.sql", "CHECKs"},
    CatalogueProbe{"V04", "indexes are valid and correct", "indexes.sql", "indexes"},
    CatalogueProbe{"V05", "no invalid index", "half_built_indexes.sql", "indexes"},
    CatalogueProbe{"V06", "accounts have their routing keys", "missing_keys.sql", "rules", true},
    CatalogueProbe{"V07", "no row without its user", "orphans.sql", "references", true},
    CatalogueProbe{"V08", "triggers that notify the gateways", "trigger.sql", "definitions"},
    CatalogueProbe{"V09", "row-level security", "row_security.sql", "tables and policies"},
    CatalogueProbe{"V11", "anon has no rights", "anon.sql", "objects"},
    CatalogueProbe{"V12", "monitoring views", "views.sql", "views"},
    CatalogueProbe{"V13", "definers pin search_path", "definers.sql", "functions"},
    CatalogueProbe{"V16", "secrets are hidden from tenants", "secrets.sql", "rights"},
    CatalogueProbe{"V17", "tables of webhooks", "tables.sql", "tables and columns"},
    CatalogueProbe{"V18", "partitions for two weeks ahead", "partitions.sql", "partitions"},
    CatalogueProbe{"V19", "SQL functions", "functions.sql", "functions"},
    CatalogueProbe{"V20", "no routing key occurs twice", "duplicates.sql", "keys", true},
    CatalogueProbe{"V21", "secrets and verify tokens", "settings.sql", "settings", true, true},
};

constexpr std::string_view note_mark = "note: ";
constexpr const char* apply_it = "socialsync migrate apply";

// A permissive policy without a condition shows this role all rows, unless a restrictive policy applies too.
constexpr const char* select_sees_all_accounts = R"(
SELECT coalesce(NOT row_security_active(to_regclass('public.social_accounts'))
  OR coalesce(bool_or(polpermissive AND polcmd IN ('r', '*') AND pg_get_expr(polqual, polrelid) = 'true'), false)
     AND coalesce(bool_and(polpermissive), false), true)
FROM pg_policy
WHERE polrelid = to_regclass('public.social_accounts')
  AND EXISTS (SELECT FROM unnest(polroles) AS r WHERE r = 0 OR pg_has_role(r, 'USAGE')))";

std::string array_of(const std::vector<std::string>& words) {
  return fmt::format("{{{}}}", fmt::join(words, ","));
}

// Joins the first lines, without repetition.
std::string joined(const std::vector<std::string>& lines) {
  std::vector<std::string> told;
  for (const std::string& line : lines) {
    if (std::ranges::find(told, line) == told.end()) told.push_back(line);
  }
  const std::size_t left_out = told.size() > items_told_max ? told.size() - items_told_max : 0;
  told.resize(told.size() - left_out);
  if (left_out > 0) told.push_back(fmt::format("and {} more", left_out));
  return fmt::format("{}", fmt::join(told, "\n"));
}

Finding finding_of(const CatalogueProbe& probe, const pg::ResultSet& rows) {
  enum Column { ok, item, todo };
  std::vector<std::string> failed, missed, notes, todos;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const std::string text(rows.text(row, item));
    if (rows.text(row, ok) == "t") {
      if (text.starts_with(note_mark)) notes.push_back(text.substr(note_mark.size()));
      continue;
    }
    (rows.is_null(row, ok) ? missed : failed).push_back(text);
    todos.emplace_back(rows.is_null(row, todo) ? apply_it : rows.text(row, todo));
  }
  const std::size_t right = rows.rows() - failed.size() - missed.size();
  Finding finding{.id = probe.id, .title = probe.title, .state = State::pass, .found = {}, .todo = {}};
  if (!missed.empty()) finding.state = State::skip;
  if (!failed.empty()) finding.state = State::fail;
  finding.found = fmt::format("{} of {} {}", right, rows.rows(), probe.items);
  for (const std::vector<std::string>& lines : {failed, missed, notes}) {
    if (!lines.empty()) finding.found += "\n" + joined(lines);
  }
  finding.todo = joined(todos);
  return finding;
}

// An error is a SKIP for a missing privilege, else a FAIL.
Finding finding_of(const CatalogueProbe& probe, const pg::Error& refused) {
  const bool may_not = refused.sqlstate() == pg::sqlstate::insufficient_privilege;
  return {.id = probe.id,
          .title = probe.title,
          .state = may_not ? State::skip : State::fail,
          .found = refused.what(),
          .todo = may_not
                      ? "GRANT SELECT ON public.users, public.social_accounts to this role, or verify as the "
                        "owner of social_accounts"
                      : apply_it};
}

Finding hidden(const CatalogueProbe& probe) {
  return {.id = probe.id,
          .title = probe.title,
          .state = State::skip,
          .found = "row-level security hides accounts from this role",
          .todo = "verify as the owner of social_accounts, or as a member of service_role"};
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::pass: return "PASS";
    case State::fail: return "FAIL";
    case State::skip: return "SKIP";
  }
  return "FAIL";
}

std::vector<Finding> verify_catalogue(pg::Session& session, const SharedSettings& settings,
                                      const ShowProgress& show) {
  TrialTransaction transaction(
      session, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp");
  const bool sees_all = is_true(session.query(select_sees_all_accounts));
  std::vector<Finding> findings;
  for (const CatalogueProbe& probe : catalogue_probes) {
    show({.what = probe.title, .done = findings.size(), .total = catalogue_probes.size(), .unit = "probes"});
    if (probe.reads_rows && !sees_all) {
      findings.push_back(hidden(probe));
      continue;
    }
    pg::Session::Parameters parameters;
    if (probe.wants_settings)
      parameters = {array_of(settings.with_app_secret), array_of(settings.with_verify_token)};
    const auto refused = transaction.attempt([&] {
      const std::string sql(embedded::embedded_probes(probe.file));
      findings.push_back(finding_of(probe, session.query(sql, parameters)));
    });
    if (refused) findings.push_back(finding_of(probe, *refused));
  }
  return findings;
}

}  // namespace socialsync::migrate
