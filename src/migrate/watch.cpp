#include "migrate/watch.hpp"

#include <chrono>
#include <utility>

#include "migrate/query.hpp"

namespace socialsync::migrate {
namespace {

constexpr std::chrono::milliseconds look_interval{200};
constexpr std::chrono::milliseconds end_check_interval{20};

constexpr const char* select_holders = R"(
SELECT string_agg(line, '; ' ORDER BY xact_start)
FROM (SELECT DISTINCT a.xact_start,
             format('pid %s (%s %s, app=%s)', a.pid, a.state,
                    date_trunc('second', clock_timestamp() - a.xact_start),
                    coalesce(nullif(a.application_name, ''), 'unnamed')) AS line
      FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
      WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest($1::text[]) AS t) AND l.granted
        AND l.pid <> pg_backend_pid() AND clock_timestamp() - a.xact_start > interval '100 ms'
      UNION
      SELECT p.prepared, format('prepared transaction %L, since %s', p.gid, date_trunc('second', p.prepared))
      FROM pg_locks AS l JOIN pg_locks AS own USING (virtualtransaction)
      JOIN pg_prepared_xacts AS p ON p.transaction = own.transactionid
      WHERE l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid' AND l.relation = ANY (SELECT to_regclass(t) FROM unnest($1::text[]) AS t)
        AND p.database = current_database()
      ORDER BY xact_start LIMIT 3) AS holders)";

constexpr const char* select_progress = R"(
SELECT (SELECT string_agg(DISTINCT CASE WHEN b.pid = 0 THEN 'a prepared transaction (see pg_prepared_xacts)'
                                   ELSE format('pid %s (%s %s, app=%s)', b.pid, a.state,
                                               date_trunc('second', clock_timestamp() - a.xact_start),
                                               coalesce(nullif(a.application_name, ''), 'unnamed')) END, '; ')
        FROM unnest(pg_blocking_pids($1::integer)) AS b (pid) LEFT JOIN pg_stat_activity AS a USING (pid)),
       p.phase, coalesce(nullif(p.blocks_done, 0), p.tuples_done, 0),
       coalesce(nullif(p.blocks_total, 0), p.tuples_total, 0), CASE WHEN p.blocks_total > 0 THEN 'blocks' ELSE 'rows' END
FROM (SELECT) AS one LEFT JOIN pg_stat_progress_create_index AS p ON p.pid = $1::integer)";

}  // namespace

std::string lock_holders(pg::Session& session, const std::string& tables) {
  return first_value(session.query(select_holders, {tables}));
}

Watch::Watch(const pg::ConnectionOptions& options, int pid, std::string what, ShowProgress show,
             TellBlockers tell_blockers)
    : pid_(pid), what_(std::move(what)), show_(std::move(show)), tell_blockers_(std::move(tell_blockers)) {
  if (show_ || tell_blockers_) thread_ = std::thread([this, options] { look_until_ended(options); });
}

Watch::~Watch() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watch::look_until_ended(const pg::ConnectionOptions& options) {
  try {
    // A short statement needs no second session.
    auto next_look = std::chrono::steady_clock::now() + look_interval;
    std::unique_ptr<pg::Session> session;
    while (!ending_) {
      std::this_thread::sleep_for(end_check_interval);
      if (std::chrono::steady_clock::now() < next_look) continue;
      if (!session) session = std::make_unique<pg::Session>(options);
      look(*session);
      next_look = std::chrono::steady_clock::now() + look_interval;
    }
  } catch (const pg::Error&) {
    return;  // the watched statement continues
  }
}

void Watch::look(pg::Session& session) {
  const pg::ResultSet now = session.query(select_progress, {std::to_string(pid_)});
  Progress progress{.what = what_,
                    .done = number_in(now, 0, 2),
                    .total = number_in(now, 0, 3),
                    .unit = std::string(now.text(0, 4)),
                    .note = std::string(now.text(0, 1))};
  if (!now.is_null(0, 0)) {
    if (!progress.note.empty()) progress.note += ", ";
    progress.note += "waits for " + std::string(now.text(0, 0));
    if (tell_blockers_) tell_blockers_(std::string(now.text(0, 0)));
  }
  if (show_) show_(progress);
}

}  // namespace socialsync::migrate
