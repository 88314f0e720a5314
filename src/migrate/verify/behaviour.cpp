#include <array>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "migrate/verify/trial.hpp"
#include "migrate/verify/verify.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

constexpr int invoker_views_since = 150000;

// The result of one probe.
struct Verdict {
  std::vector<std::string> problems;
  std::size_t attempts = 0;
  std::string skipped{};  // the reason why it was not tried
  std::string todo = "socialsync migrate apply";
};

struct Trial {
  pg::Session& session;
  TrialTransaction& transaction;
  SampleTenants tenants;
};

// A relation that tenants read: the column that identifies their rows, and its values for one tenant.
struct ReadableRelation {
  const char* name;
  const char* column;
  std::string (SampleTenant::*keys)() const;
  bool is_view;
};
constexpr std::array sources = {
    ReadableRelation{"public.social_accounts", "id", &SampleTenant::account_ids, false},
    ReadableRelation{"public.webhook_logs", "id", &SampleTenant::log_ids, false},
    ReadableRelation{"public.active_webhook_accounts", "id", &SampleTenant::account_ids, true},
    ReadableRelation{"public.webhook_stats_by_user", "user_id", &SampleTenant::user_ids, true}};
constexpr std::array secrets = {"app_secret", "verify_token", "access_token", "refresh_token"};

// Since PostgreSQL 16 a membership may lack the SET option.
constexpr const char* select_may_become = R"(
SELECT pg_has_role(session_user, oid,
                   CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END),
       quote_ident(session_user)
FROM pg_roles WHERE rolname = $1)";

constexpr const char* set_claims = "SELECT set_config('request.jwt.claims', $1, true)";

constexpr const char* find_whatsapp =
    "SELECT social_account_id::text FROM public.get_whatsapp_user_by_phone_number_id($1)";
constexpr const char* find_instagram =
    "SELECT social_account_id::text FROM public.get_instagram_user_by_page_id($1)";

constexpr const char* call_log_webhook =
    "SELECT public.log_webhook($1::uuid, 'whatsapp_business', 'messages', '{\"test\": true}', 'verify', "
    "'verify')::text";
constexpr const char* select_logged = R"(
SELECT l.status = 'received' AND l.user_id = a.user_id AND a.last_webhook_at IS NOT NULL AND a.webhook_status = 'active'
FROM public.webhook_logs AS l JOIN public.social_accounts AS a ON a.id = l.social_account_id WHERE l.id = $1::uuid)";
constexpr const char* call_mark_processed = "SELECT public.mark_webhook_processed($1::uuid, 12, $2::text)";
constexpr const char* select_marked =
    "SELECT status, processing_time_ms::text FROM public.webhook_logs WHERE id = $1::uuid";

void become(pg::Session& session, const char* role, const std::string& user_id = {}) {
  session.execute(fmt::format("SET LOCAL ROLE {}", role));
  if (user_id.empty()) return;
  session.query(set_claims, {fmt::format(R"({{"sub": "{}", "role": "{}"}})", user_id, role)});
}

// Returns false, and sets `skipped`, when the session may not SET ROLE.
bool may_become(Trial& trial, const char* role, Verdict& verdict) {
  const pg::ResultSet rows = trial.session.query(select_may_become, {role});
  if (rows.rows() > 0 && rows.text(0, 0) == "t") return true;
  if (rows.rows() == 0) {
    verdict.skipped = fmt::format("there is no role {}", role);
    return false;
  }
  verdict.skipped = fmt::format("this role may not become {}", role);
  verdict.todo = fmt::format("GRANT {} TO {} while verify runs", role, rows.text(0, 1));
  return false;
}

std::size_t count_rows(Trial& trial, const ReadableRelation& source, const SampleTenant& tenant) {
  const std::string sql =
      fmt::format("SELECT FROM {} WHERE {} = ANY ($1::uuid[])", source.name, source.column);
  return trial.session.query(sql, {(tenant.*source.keys)()}).rows();
}

void look_as_tenant(Trial& trial, const SampleTenant& self, const SampleTenant& other, Verdict& verdict) {
  for (const ReadableRelation& source : sources) {
    const bool is_closed = source.is_view && trial.session.server_version() < invoker_views_since;
    std::size_t own = 0, foreign = 0;
    const auto refused = trial.transaction.attempt([&] {
      become(trial.session, "authenticated", self.user_id);
      own = count_rows(trial, source, self);
      foreign = count_rows(trial, source, other);
    });
    ++verdict.attempts;
    if (refused && !is_closed)
      verdict.problems.push_back(fmt::format("{}: {}", source.name, refused->what()));
    if (foreign > 0) verdict.problems.push_back(fmt::format("{} shows another tenant's rows", source.name));
    if (!refused && own == 0)
      verdict.problems.push_back(fmt::format("{} hides the tenant's own rows", source.name));
  }
}

Verdict tenants_are_apart(Trial& trial) {
  Verdict verdict;
  if (!may_become(trial, "authenticated", verdict)) return verdict;
  look_as_tenant(trial, trial.tenants[0], trial.tenants[1], verdict);
  look_as_tenant(trial, trial.tenants[1], trial.tenants[0], verdict);
  return verdict;
}

// A missing privilege skips the probe; any other error is a problem.
void note_refusal(const pg::Error& refused, Verdict& verdict) {
  if (refused.sqlstate() != pg::sqlstate::insufficient_privilege) {
    verdict.problems.emplace_back(refused.what());
    return;
  }
  verdict.skipped = refused.what();
  verdict.todo = "GRANT service_role to this role, or verify as the owner of social_accounts";
}

// Calls a lookup function with `key`; expects the account id `wanted`, empty for no account.
void look_up(Trial& trial, const char* sql, const std::string& key, const std::string& wanted,
             const char* of_what, Verdict& verdict) {
  std::string found;
  const auto refused = trial.transaction.attempt([&] {
    const pg::ResultSet rows = trial.session.query(sql, {key});
    for (std::size_t row = 0; row < rows.rows(); ++row) found += rows.text(row, 0);
  });
  ++verdict.attempts;
  if (refused)
    note_refusal(*refused, verdict);
  else if (found != wanted)
    verdict.problems.push_back(
        fmt::format("{}: found {}", of_what, found.empty() ? "none" : "another account"));
}

Verdict routing_finds_the_account(Trial& trial) {
  Verdict verdict;
  const auto& [first, second] = trial.tenants;
  look_up(trial, find_whatsapp, first.active.key, first.active.id, "an active WhatsApp account", verdict);
  look_up(trial, find_whatsapp, second.inactive.key, "", "an inactive WhatsApp account", verdict);
  look_up(trial, find_whatsapp, first.active.key + "0", "", "an unknown phone number id", verdict);
  look_up(trial, find_instagram, second.active.key, second.active.id, "an active Instagram account", verdict);
  look_up(trial, find_instagram, first.inactive.key, "", "an inactive Instagram account", verdict);
  look_up(trial, find_instagram, second.active.key + "0", "", "an unknown page id", verdict);
  return verdict;
}

void check_mark(Trial& trial, const std::string& log_id, const std::optional<std::string>& error,
                std::string_view wanted, Verdict& verdict) {
  trial.session.query(call_mark_processed, {log_id, error});
  const pg::ResultSet marked = trial.session.query(select_marked, {log_id});
  ++verdict.attempts;
  if (marked.text(0, 0) != wanted || marked.text(0, 1) != "12")
    verdict.problems.push_back(fmt::format(
        "mark_webhook_processed gives status {}, wanted {}, or loses the time", marked.text(0, 0), wanted));
}

Verdict logging_works(Trial& trial) {
  Verdict verdict;
  const auto refused = trial.transaction.attempt([&] {
    const std::string id(trial.session.query(call_log_webhook, {trial.tenants[0].active.id}).text(0, 0));
    const pg::ResultSet logged = trial.session.query(select_logged, {id});
    ++verdict.attempts;
    if (logged.rows() != 1 || logged.text(0, 0) != "t")
      verdict.problems.emplace_back("log_webhook does not fill user_id, last_webhook_at or a status");
    check_mark(trial, id, std::nullopt, "processed", verdict);
    check_mark(trial, id, "sample", "error", verdict);
  });
  if (refused) note_refusal(*refused, verdict);
  return verdict;
}

Verdict strangers_see_nothing(Trial& trial) {
  Verdict verdict;
  if (!may_become(trial, "anon", verdict)) return verdict;
  for (const ReadableRelation& source : sources) {
    std::size_t seen = 0;
    // A refused query counts as reading nothing.
    trial.transaction.attempt([&] {
      become(trial.session, "anon");
      for (const SampleTenant& tenant : trial.tenants) seen += count_rows(trial, source, tenant);
    });
    ++verdict.attempts;
    if (seen > 0) verdict.problems.push_back(fmt::format("anon reads {}", source.name));
  }
  return verdict;
}

Verdict secrets_are_refused(Trial& trial) {
  Verdict verdict;
  if (!may_become(trial, "authenticated", verdict)) return verdict;
  const SampleTenant& tenant = trial.tenants[0];
  const auto try_it = [&](const std::string& what, const std::string& sql, const std::string& parameter) {
    const auto refused = trial.transaction.attempt([&] {
      become(trial.session, "authenticated", tenant.user_id);
      trial.session.query(sql, {parameter});
    });
    ++verdict.attempts;
    if (!refused || refused->sqlstate() != pg::sqlstate::insufficient_privilege)
      verdict.problems.push_back(fmt::format("a signed-in user may use {}", what));
  };
  for (const char* secret : secrets)
    try_it(fmt::format("social_accounts.{}", secret),
           fmt::format("SELECT {} FROM public.social_accounts WHERE id = $1::uuid", secret),
           tenant.active.id);
  try_it("get_whatsapp_user_by_phone_number_id()", find_whatsapp, tenant.active.key);
  try_it("get_instagram_user_by_page_id()", find_instagram, tenant.inactive.key);
  return verdict;
}

struct BehaviourProbe {
  const char* id;
  const char* title;
  Verdict (*run)(Trial& trial);
};

constexpr std::array behaviour_probes = {
    BehaviourProbe{"V10", "tenant A cannot read B", tenants_are_apart},
    BehaviourProbe{"V14", "routing finds the account", routing_finds_the_account},
    BehaviourProbe{"V15", "logging a webhook works", logging_works},
    BehaviourProbe{"V22", "anon reads nothing", strangers_see_nothing},
    BehaviourProbe{"V23", "secrets are refused to tenants", secrets_are_refused},
};

Finding finding_of(const BehaviourProbe& probe, const Verdict& verdict) {
  Finding finding{.id = probe.id, .title = probe.title, .state = State::pass, .found = {}, .todo = {}};
  if (!verdict.problems.empty()) {
    finding.state = State::fail;
    finding.found = fmt::format("{}", fmt::join(verdict.problems, "\n"));
  } else if (!verdict.skipped.empty()) {
    finding.state = State::skip;
    finding.found = verdict.skipped;
  } else {
    finding.found = fmt::format("tried {} times, and rolled back", verdict.attempts);
  }
  if (finding.state != State::pass) finding.todo = verdict.todo;
  return finding;
}

// Skips all probes for the error that prevented the sample accounts.
std::vector<Finding> without_samples(const pg::Error& refused) {
  const std::string reason = fmt::format("no sample accounts: {}", refused.what());
  if (refused.sqlstate() == pg::sqlstate::read_only_sql_transaction)
    return skipped_behaviour(reason, "verify on the primary too, or use --no-behaviour");
  if (refused.sqlstate() == pg::sqlstate::insufficient_privilege)
    return skipped_behaviour(
        reason,
        "verify as the owner of social_accounts, with the privilege to insert into users, or use "
        "--no-behaviour");
  return skipped_behaviour(reason, "a constraint of your own, or a missing step, prevents a sample account");
}

}  // namespace

std::vector<Finding> skipped_behaviour(const std::string& reason, const std::string& todo) {
  std::vector<Finding> findings;
  for (const BehaviourProbe& probe : behaviour_probes)
    findings.push_back(
        {.id = probe.id, .title = probe.title, .state = State::skip, .found = reason, .todo = todo});
  return findings;
}

std::vector<Finding> verify_behaviour(pg::Session& session, const ShowProgress& show) {
  TrialTransaction transaction(
      session, "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path = public, pg_temp");
  SampleTenants tenants;
  const auto refused = transaction.perform([&] { tenants = insert_samples(session); });
  if (refused) return without_samples(*refused);
  Trial trial{session, transaction, std::move(tenants)};
  std::vector<Finding> findings;
  for (const BehaviourProbe& probe : behaviour_probes) {
    show({.what = probe.title, .done = findings.size(), .total = behaviour_probes.size(), .unit = "probes"});
    findings.push_back(finding_of(probe, probe.run(trial)));
  }
  return findings;
}

}  // namespace socialsync::migrate
