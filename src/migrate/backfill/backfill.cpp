#include "migrate/backfill/backfill.hpp"

#include <optional>
#include <thread>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "migrate/backfill/load.hpp"
#include "migrate/backfill/pace.hpp"
#include "migrate/backfill/session.hpp"
#include "migrate/query.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int passes_max = 3;  // over rows that another transaction had locked
constexpr milliseconds pause_between_passes{500};
constexpr std::size_t previewed_max = 20;
constexpr std::chrono::seconds lock_budget{60};
constexpr milliseconds lock_pause{200};

milliseconds since(Clock::time_point began) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - began);
}

// PostgreSQL, or a trigger of the operator's, refused a row.
bool is_refusal(const pg::Error& error) {
  return error.kind() == pg::ErrorKind::data ||
         error.sqlstate().starts_with(pg::sqlstate::class_plpgsql_error);
}

// A batch of accounts, as the survey found them.
struct Batch {
  std::optional<std::string> after;
  std::string last;
  std::uint64_t keys = 0;
  std::uint64_t same = 0;
  std::uint64_t to_change = 0;
  std::uint64_t kept_values = 0;
  std::string ids_to_change;          // a PostgreSQL array
  std::string ids_with_kept_value;    // accounts with a kept value
  std::vector<std::uint64_t> values;  // to write, by assignment
};

class Walk {
 public:
  Walk(pg::Session& session, const BackfillSource& source, const BackfillOptions& options, bool writes)
      : session_(session),
        source_(source),
        sql_(source),
        options_(options),
        writes_(writes),
        pace_(options.batch_max),
        throttle_(session, options.lag_max) {
    report_.changed_by_column.resize(source.assignments.size());
  }

  BackfillReport run() {
    plan_by_index(session_);
    if (writes_ && visits_all()) began_ = session_.query("SELECT clock_timestamp()").text(0, 0);
    std::string keys = source_.keys;
    for (int number_of_pass = 1; number_of_pass <= passes_max; ++number_of_pass) {
      pass_ = number_of_pass;
      skipped_ = fmt::format("pg_temp.backfill_skipped_{}", pass_);
      session_.execute(
          fmt::format("CREATE TEMPORARY TABLE backfill_skipped_{} (id uuid PRIMARY KEY)", pass_));
      report_.locked_count = 0;
      walk(keys);
      if (report_.interrupted || report_.locked_count == 0) break;
      keys = skipped_;
      if (pass_ < passes_max) std::this_thread::sleep_for(pause_between_passes);
    }
    name_locked();
    if (began_ && !report_.interrupted) count_added();
    report_.throttled = throttle_.paused();
    return std::move(report_);
  }

 private:
  void walk(const std::string& keys) {
    const pg::ResultSet end = session_.query(fmt::format("SELECT id FROM {} ORDER BY id DESC LIMIT 1", keys));
    if (end.rows() == 0) return;
    const std::string last_key(end.text(0, 0));
    Batch batch;
    std::uint64_t done = 0;
    while (!is_interrupted()) {
      throttle_.wait([this] { return options_.interrupted(); },
                     [&](const std::string& why) { show(done, why); });
      const auto began = Clock::now();
      survey(keys, last_key, batch);
      if (batch.keys == 0) return;
      if (batch.to_change > 0 && writes_ && !write(batch)) continue;
      report_on(batch);
      pace_.took(since(began));
      batch.after = batch.last;
      done += batch.keys;
      show(done, {});
    }
  }

  bool is_interrupted() {
    report_.interrupted = options_.interrupted();
    return report_.interrupted;
  }

  void show(std::uint64_t done, const std::string& why) const {
    if (!options_.show) return;
    options_.show({.what = pass_ == 1 ? "backfill" : "backfill, rows that were locked",
                   .done = done,
                   .total = pass_ == 1 ? source_.total : 0,
                   .unit = "accounts",
                   .note = why.empty() ? fmt::format("batch {}", pace_.size()) : why});
  }

  void survey(const std::string& keys, const std::string& last_key, Batch& batch) {
    const pg::ResultSet found = with_lock_retries([&] {
      return session_.query(sql_.survey(keys), {batch.after, last_key, std::to_string(pace_.size()), began_});
    });
    batch.keys = number_in(found, 0, 1);
    if (batch.keys == 0) return;
    batch.last = found.text(0, 0);
    batch.same = number_in(found, 0, 2);
    batch.to_change = number_in(found, 0, 3);
    batch.kept_values = number_in(found, 0, 4);
    batch.ids_to_change = found.text(0, 5);
    batch.ids_with_kept_value = found.text(0, 6);
    batch.values = numbers(found, 7);
  }

  void report_on(const Batch& batch) {
    if (!writes_) add_preview(batch);
    if (pass_ > 1) return;
    report_.same += batch.same;
    if (batch.kept_values > 0) add_kept(batch);
  }

  // Reads one number for each assignment, from this column on.
  std::vector<std::uint64_t> numbers(const pg::ResultSet& rows, int column) const {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < source_.assignments.size(); ++i)
      values.push_back(number_in(rows, 0, column + static_cast<int>(i)));
    return values;
  }

  void count_values(const std::vector<std::uint64_t>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) report_.changed_by_column[i] += values[i];
  }

  void add_kept(const Batch& batch) {
    report_.kept_count += batch.kept_values;
    if (report_.kept.size() == listed_max) return;
    const pg::ResultSet rows = session_.query(
        sql_.kept(), {batch.ids_with_kept_value, std::to_string(listed_max - report_.kept.size())});
    for (std::size_t row = 0; row < rows.rows(); ++row)
      report_.kept.push_back({.id = std::string(rows.text(row, 0)),
                              .column = std::string(rows.text(row, 1)),
                              .from = {},
                              .to = {}});
  }

  void add_preview(const Batch& batch) {
    report_.changed += batch.to_change;
    count_values(batch.values);
    if (batch.to_change == 0 || report_.preview.size() == previewed_max) return;
    const pg::ResultSet rows = session_.query(
        sql_.preview(), {batch.ids_to_change, std::to_string(previewed_max - report_.preview.size())});
    for (std::size_t row = 0; row < rows.rows(); ++row)
      report_.preview.push_back({.id = std::string(rows.text(row, 0)),
                                 .column = std::string(rows.text(row, 1)),
                                 .from = std::string(rows.text(row, 2)),
                                 .to = std::string(rows.text(row, 3))});
  }

  // Returns false when the batch must be repeated, smaller: one of its rows was refused.
  bool write(const Batch& batch) {
    const auto began = Clock::now();
    try {
      count_written(with_lock_retries(
          [&] { return session_.query(sql_.write(skipped_, options_.run), {batch.ids_to_change}); }));
    } catch (const pg::Error& error) {
      if (!is_refusal(error)) throw;
      if (batch.keys > 1) {
        pace_.halve();
        return false;
      }
      refuse(batch.last, error);
    }
    ++report_.batches;
    report_.batch_longest = std::max(report_.batch_longest, since(began));
    if (since(began) > options_.batch_max) std::this_thread::sleep_for(since(began));
    return true;
  }

  void count_written(const pg::ResultSet& written) {
    report_.changed += number_in(written, 0, 0);
    report_.locked_count += number_in(written, 0, 1);
    count_values(numbers(written, 2));
  }

  void refuse(const std::string& id, const pg::Error& error) {
    ++report_.refused_count;
    if (report_.refused.size() == listed_max) return;
    report_.refused.push_back({.id = id, .message = rivals_of(id).value_or(error.what())});
  }

  // Names the account that already has a routing key of this account.
  std::optional<std::string> rivals_of(const std::string& id) {
    for (const BackfillAssignment& assignment : source_.assignments) {
      if (!assignment.column->is_unique) continue;
      const pg::ResultSet rows = session_.query(sql_.rival(assignment), {id});
      if (rows.rows() > 0)
        return fmt::format("account {} has this {} already", rows.text(0, 0), assignment.column->name);
    }
    return std::nullopt;
  }

  // False when a file names the accounts.
  bool visits_all() const { return source_.keys == BackfillSource().keys; }

  void count_added() {
    session_.execute("SET enable_seqscan = on");
    const std::uint64_t left = first_number(with_lock_retries([&] { return session_.query(sql_.left()); }));
    report_.added_during_run = left - std::min(left, report_.locked_count + report_.refused_count);
  }

  void name_locked() {
    if (report_.locked_count == 0) return;
    const pg::ResultSet rows =
        session_.query(fmt::format("SELECT id FROM {} ORDER BY id LIMIT {}", skipped_, listed_max));
    report_.locked = lines_of(rows);
  }

  // Repeats the statement while other transactions hold its locks, for at most `lock_budget`.
  template <class F>
  pg::ResultSet with_lock_retries(F statement) {
    const auto until = Clock::now() + lock_budget;
    for (;;) {
      try {
        return statement();
      } catch (const pg::Error& error) {
        if (!error.is_lock_conflict()) throw;
      }
      const std::string holders = lock_holders(session_);
      if (Clock::now() > until || options_.interrupted())
        throw Failure(options_.interrupted() ? Exit::interrupted : Exit::lock_budget_spent,
                      "social_accounts stayed locked, held by " + holders + "; run this again to continue");
      show(0, "waiting for a lock held by " + holders);
      std::this_thread::sleep_for(lock_pause);
    }
  }

  pg::Session& session_;
  const BackfillSource& source_;
  BackfillSql sql_;
  const BackfillOptions& options_;
  bool writes_;
  BackfillPace pace_;
  BackfillThrottle throttle_;
  BackfillReport report_;
  // Accounts created after this time are left to the next run, so that this one ends.
  std::optional<std::string> began_;
  std::string skipped_;
  int pass_ = 1;
};

}  // namespace

BackfillReport preview_backfill(pg::Session& session, const BackfillSource& source,
                                const BackfillOptions& options) {
  return Walk(session, source, options, false).run();
}

BackfillReport run_backfill(pg::Session& session, const BackfillSource& source,
                            const BackfillOptions& options) {
  return Walk(session, source, options, true).run();
}

}  // namespace socialsync::migrate
