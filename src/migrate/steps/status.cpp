#include "migrate/steps/status.hpp"

#include <charconv>

#include "migrate/catalogue.hpp"
#include "migrate/session.hpp"

namespace socialsync::migrate {
namespace {

// NULL: there is none.
constexpr const char* select_may_read = R"(
SELECT pg_temp.may_read('socialsync.migration_steps'),
       format('%I may not see earlier runs: GRANT USAGE ON SCHEMA socialsync TO %1$I; '
              'GRANT SELECT ON socialsync.migration_steps TO %1$I', current_user))";

constexpr const char* select_runs = R"(
SELECT run, date_trunc('second', min(began_at)), date_trunc('second', max(ended_at)), count(*),
       coalesce(string_agg(step, ', ') FILTER (WHERE state = 'later'), '')
FROM socialsync.migration_steps GROUP BY run ORDER BY max(ended_at) DESC LIMIT 10)";

}  // namespace

Status look(const pg::ConnectionOptions& options) {
  Catalogue catalogue(options, Catalogue::Use::read);
  Status status;
  for (const Step& step : catalogue.steps()) {
    if (step.present) {
      ++status.done;
    } else {
      status.todo.push_back(step.id);
    }
  }
  pg::Session& session = catalogue.session();
  status.active = run_lock_holder(session);
  const pg::ResultSet ledger = session.query(select_may_read);
  if (ledger.text(0, 0) == "f") status.hidden = ledger.text(0, 1);
  if (ledger.text(0, 0) != "t") return status;
  const pg::ResultSet runs = session.query(select_runs);
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const std::string_view steps = runs.text(row, 3);
    Status::Run run{.run = std::string(runs.text(row, 0)),
                    .began_at = std::string(runs.text(row, 1)),
                    .ended_at = std::string(runs.text(row, 2)),
                    .later = std::string(runs.text(row, 4))};
    std::from_chars(steps.data(), steps.data() + steps.size(), run.steps);
    status.runs.push_back(std::move(run));
  }
  return status;
}

}  // namespace socialsync::migrate
