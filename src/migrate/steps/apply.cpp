#include "migrate/steps/apply.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/failure.hpp"
#include "migrate/catalogue.hpp"
#include "migrate/query.hpp"
#include "migrate/session.hpp"
#include "migrate/watch.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"
#include "process/interruption.hpp"

namespace socialsync::migrate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause_min{100};
constexpr milliseconds pause_max{500};
constexpr milliseconds kill_delay{30};  // into a statement that a fault is to interrupt

constexpr const char* select_unknown_roles = R"(
SELECT string_agg(quote_ident(r), ', ') FROM pg_temp.rls_roles() AS r
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r))";

constexpr const char* insert_step = R"(
INSERT INTO socialsync.migration_steps (run, step, state, attempts, began_at, ended_at, statements, note)
VALUES ($1, $2, $3, $4, clock_timestamp() - make_interval(secs => $5::float8),
        clock_timestamp() - make_interval(secs => $6::float8), $7, nullif($8, '')))";

// A unique index build fails when a duplicate was inserted after the precheck.
bool is_retryable(const pg::Error& error) {
  const bool duplicate = error.sqlstate() == pg::sqlstate::unique_violation;
  const bool raced =
      error.sqlstate() == pg::sqlstate::internal_error &&
      std::string_view(error.what()).find("tuple concurrently updated") != std::string_view::npos;
  return error.is_lock_conflict() || duplicate || raced;
}

// PostgreSQL, or a trigger of the operator's, refused a row that the step had to change.
bool is_refused_row(const Step& step, const pg::Error& error) {
  return step.alone && !step.precheck.empty() && error.sqlstate() != pg::sqlstate::unique_violation &&
         (error.kind() == pg::ErrorKind::data ||
          error.sqlstate().starts_with(pg::sqlstate::class_plpgsql_error));
}

milliseconds since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
}

std::string in_seconds(milliseconds duration) {
  return std::to_string(static_cast<double>(duration.count()) / 1000);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

// As pg_temp.rls_roles() reads it.
std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "\"" : ",\"";
    for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
    text += '"';
  }
  return text;
}

milliseconds random_pause() {
  static std::minstd_rand random(std::random_device{}());
  return milliseconds(std::uniform_int_distribution<long>(pause_min.count(), pause_max.count())(random));
}

// One run of apply(); holds the run lock.
class Runner {
 public:
  Runner(const pg::ConnectionOptions& options, const ApplyOptions& apply_options, const ApplyEvents& events);

  ApplyReport run();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Attempt { done, blocked };
  struct Entry {
    Step step;
    StepReport report;
    Clock::time_point ended;
  };

  void connect();
  void reconnect();
  void require_preconditions();
  bool do_next_step();
  std::optional<Step> next_step();
  void postpone(const Step& step);
  void work_on(const Step& step);
  Attempt attempt(const Step& step, StepReport& report);
  void report_changed_rows(const Step& step, const pg::ResultSet& lines);
  void run_alone(const Step& step);
  void run_in_transaction(const Step& step, StepReport& report);
  // Appends to socialsync.migration_steps; buffers entries until that table exists.
  void record(const Step& step, const StepReport& report);
  void refuse_wraparound_vacuum(const Step& step);
  void insert(const Entry& entry);
  void clear_recorded();
  void wait_before_next(const Step& step, StepReport& report, Clock::time_point deadline);
  void inject_fault(Fault::Moment moment, const Step& step) const;
  void stop_if_interrupted() const;
  std::string label_of(const Step& step) const;

  pg::ConnectionOptions options_;
  ApplyOptions apply_options_;
  const ApplyEvents& events_;
  std::unique_ptr<Catalogue> catalogue_;
  std::atomic<const pg::Session*> to_cancel_ = nullptr;
  process::Interruption interruption_;
  ApplyReport report_;
  std::set<std::string> postponed_;  // steps blocked by rows
  std::set<std::string> done_;
  std::map<std::string, Clock::time_point> deadlines_;  // by step
  std::string waited_for_;                              // the last blocked statement's lock holders
  bool is_duplicate_ = false;                           // the last attempt failed on a duplicate
  std::vector<Entry> unrecorded_;
  bool has_ledger_ = false;
  std::size_t number_ = 0;
  std::size_t count_ = 0;
};

Runner::Runner(const pg::ConnectionOptions& options, const ApplyOptions& apply_options,
               const ApplyEvents& events)
    : options_(options), apply_options_(apply_options), events_(events), interruption_([this] {
        if (const pg::Session* session = to_cancel_) session->cancel();
      }) {}

void Runner::connect() {
  to_cancel_ = nullptr;
  catalogue_.reset();
  catalogue_ = std::make_unique<Catalogue>(options_, Catalogue::Use::write);
  take_run_lock(catalogue_->session(), apply_options_.run_lock_wait);
  if (report_.run.empty()) report_.run = catalogue_->session().query("SELECT gen_random_uuid()").text(0, 0);
  catalogue_->session().query(
      "SELECT set_config('socialsync.rls_roles', $1, false), set_config('socialsync.duplicates', $2, false), "
      "set_config('socialsync.run', $3, false)",
      {quoted_list(apply_options_.rls_roles), apply_options_.quarantine_duplicates ? "quarantine" : "report",
       report_.run});
  to_cancel_ = &catalogue_->session();
}

void Runner::reconnect() {
  const auto deadline = Clock::now() + apply_options_.reconnect_budget;
  for (;;) {
    stop_if_interrupted();
    try {
      connect();
      return;
    } catch (const pg::Error& error) {
      if (Clock::now() > deadline)
        throw Failure(
            Exit::lock_budget_spent,
            fmt::format(
                "connection to the database lost, and reconnecting failed: {}. Completed steps stay: run "
                "this again",
                error.what()));
      std::this_thread::sleep_for(pause_max);
    }
  }
}

void Runner::require_preconditions() {
  const std::vector<std::string> missing = catalogue_->missing_rights();
  if (!missing.empty())
    throw Failure(Exit::refused, "privileges are missing; nothing was changed:" + joined(missing));
  const pg::ResultSet strangers = catalogue_->session().query(select_unknown_roles);
  if (!strangers.is_null(0, 0))
    throw Failure(Exit::refused,
                  fmt::format("--rls-role: there is no role {}; nothing was changed", strangers.text(0, 0)));
  const std::vector<std::string> conflicts = catalogue_->conflicts();
  if (!conflicts.empty())
    throw Failure(
        Exit::conflict,
        "objects of the same name exist with another definition; nothing was changed:" + joined(conflicts));
}

std::optional<Step> Runner::next_step() {
  const std::vector<Step> steps = catalogue_->steps();
  count_ = steps.size();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].present || postponed_.contains(steps[i].id)) continue;
    number_ = i + 1;
    return steps[i];
  }
  return std::nullopt;
}

std::string Runner::label_of(const Step& step) const {
  return fmt::format("[{:>2}/{}] {}", number_, count_, step.title);
}

void Runner::stop_if_interrupted() const {
  if (interruption_.requested())
    throw Failure(Exit::interrupted, "interrupted: completed steps stay; run this again to continue");
}

void Runner::inject_fault(Fault::Moment moment, const Step& step) const {
  if (apply_options_.fault.moment == moment && apply_options_.fault.step == step.id) raise(SIGKILL);
}

void Runner::record(const Step& step, const StepReport& report) {
  std::erase_if(unrecorded_, [&](const Entry& entry) { return entry.step.id == step.id; });
  unrecorded_.push_back({.step = step, .report = report, .ended = Clock::now()});
  pg::Session& session = catalogue_->session();
  has_ledger_ = is_true(session.query("SELECT to_regclass('socialsync.migration_steps') IS NOT NULL"));
  if (!has_ledger_) return;
  for (const Entry& entry : unrecorded_) insert(entry);
}

void Runner::insert(const Entry& entry) {
  const milliseconds ago = since(entry.ended);
  const bool is_done = entry.report.state == StepReport::State::done;
  catalogue_->session().query(
      insert_step,
      {report_.run, entry.step.id, is_done ? "done" : "later", std::to_string(entry.report.attempts),
       in_seconds(ago + entry.report.took), in_seconds(ago), entry.step.statements, entry.report.note});
}

// Call after the entries were committed.
void Runner::clear_recorded() {
  if (has_ledger_) unrecorded_.clear();
}

void Runner::run_in_transaction(const Step& step, StepReport& report) {
  pg::Session& session = catalogue_->session();
  const auto began = Clock::now();
  session.execute("BEGIN");
  session.query("SELECT pg_temp.attempt($1, $2)", {step.id, step.part});
  inject_fault(Fault::Moment::during, step);
  report.took = since(began);
  record(step, report);
  session.execute("COMMIT");
}

// Reports the changed accounts at once, since the step itself may still fail.
void Runner::report_changed_rows(const Step& step, const pg::ResultSet& lines) {
  if (lines.rows() == 0) return;
  Step rows = step;
  rows.id += ".rows";
  rows.statements = step.precheck;
  StepReport report{.id = rows.id, .title = "accounts that block " + step.title};
  for (std::size_t row = 0; row < lines.rows(); ++row)
    report.note += (row > 0 ? "\n" : "") + std::string(lines.text(row, 0));
  record(rows, report);
  if (events_.step_ended) events_.step_ended(report, number_, count_);
  report_.steps.push_back(report);
}

void Runner::run_alone(const Step& step) {
  pg::Session& session = catalogue_->session();
  if (!step.precheck.empty()) report_changed_rows(step, session.query(step.precheck));
  const Watch watch(options_, session.backend_pid(), label_of(step), events_.progress,
                    [this](const std::string& blockers) { waited_for_ = blockers; });
  // Its lock wait blocks no other session, and an abandoned build leaves an invalid index: wait the whole
  // budget.
  session.query("SELECT set_config('lock_timeout', $1, false)",
                {std::to_string(apply_options_.lock_budget.count())});
  std::jthread killer;
  if (apply_options_.fault.moment == Fault::Moment::during && apply_options_.fault.step == step.id)
    killer = std::jthread([this, &step] {
      std::this_thread::sleep_for(kill_delay);
      inject_fault(Fault::Moment::during, step);
    });
  session.execute(step.statements);
  if (killer.joinable()) killer.join();
  session.execute("RESET lock_timeout");
}

Runner::Attempt Runner::attempt(const Step& step, StepReport& report) {
  const auto began = Clock::now();
  waited_for_.clear();
  pg::Session& session = catalogue_->session();
  try {
    if (step.alone) {
      refuse_wraparound_vacuum(step);  // waiting for it would spend the whole budget
      run_alone(step);
      report.took = since(began);
      record(step, report);
    } else {
      run_in_transaction(step, report);
    }
    clear_recorded();
    return Attempt::done;
  } catch (const pg::Error& error) {
    stop_if_interrupted();
    if (error.kind() == pg::ErrorKind::connection) throw;
    if (session.in_transaction()) session.execute("ROLLBACK");
    session.execute("RESET lock_timeout");
    if (error.sqlstate() == data_blocks_sqlstate) {
      report.state = StepReport::State::later;
      report.note = error.what();
      return Attempt::done;
    }
    if (is_refused_row(step, error)) {
      report.state = StepReport::State::later;
      report.note =
          fmt::format("accounts that block it cannot be changed: {} ({})", error.what(), error.sqlstate());
      return Attempt::done;
    }
    is_duplicate_ = error.sqlstate() == pg::sqlstate::unique_violation;
    if (!is_retryable(error))
      throw Failure(Exit::internal_error,
                    fmt::format("{}: {} ({}). All steps before it are done: run this again", step.title,
                                error.what(), error.sqlstate()));
    return Attempt::blocked;
  }
}

void Runner::refuse_wraparound_vacuum(const Step& step) {
  const pg::ResultSet vacuum =
      catalogue_->session().query("SELECT pg_temp.wraparound_vacuum(nullif($1, '')::text[])", {step.tables});
  if (!vacuum.is_null(0, 0))
    throw Failure(Exit::lock_budget_spent,
                  fmt::format("{}: its lock is held by {}, then run this again. All steps before it are done",
                              step.title, vacuum.text(0, 0)));
}

void Runner::wait_before_next(const Step& step, StepReport& report, Clock::time_point deadline) {
  refuse_wraparound_vacuum(step);
  std::string holders = lock_holders(catalogue_->session(), step.tables);
  if (holders.empty()) holders = waited_for_;
  if (!holders.empty()) report.note = "waited for " + holders;
  if (Clock::now() > deadline && is_duplicate_)
    throw Failure(
        Exit::data_blocks,
        fmt::format("{}: accounts go on getting the same value during the build (does the application, or a "
                    "trigger, set it?). All steps before it are done: fix that, then run this again",
                    step.title));
  if (Clock::now() > deadline)
    throw Failure(
        Exit::lock_budget_spent,
        fmt::format("{}: no lock in {} attempts, held by {}. All steps before it are done: "
                    "run this again later",
                    step.title, report.attempts, holders.empty() ? "a session that has ended" : holders));
  if (events_.progress)
    events_.progress({.what = label_of(step),
                      .note = fmt::format("waiting for lock, try {}, blocked by {}", report.attempts,
                                          holders.empty() ? "another session" : holders)});
  std::this_thread::sleep_for(random_pause());
}

void Runner::work_on(const Step& step) {
  StepReport report{.id = step.id, .title = step.title};
  const auto deadline =
      deadlines_.try_emplace(step.id, Clock::now() + apply_options_.lock_budget).first->second;
  inject_fault(Fault::Moment::before, step);
  for (;; ++report.attempts) {
    stop_if_interrupted();
    if (events_.progress) events_.progress({.what = label_of(step)});
    const Attempt outcome = attempt(step, report);
    if (outcome == Attempt::done) break;
    wait_before_next(step, report, deadline);
    if (!step.alone) continue;
    done_.clear();  // the steps that drop invalid indexes are to run again
    return;
  }
  inject_fault(Fault::Moment::after, step);
  if (events_.step_ended) events_.step_ended(report, number_, count_);
  if (report.state == StepReport::State::later) {
    postponed_.insert(step.id);
    record(step, report);  // the entry written by the step was rolled back with it
    clear_recorded();
  } else {
    done_.insert(step.id);
  }
  report_.steps.push_back(report);
}

// A step of this run is not done any more: new rows undid it, or its statements have no effect here.
void Runner::postpone(const Step& step) {
  StepReport report{.id = step.id, .title = step.title, .state = StepReport::State::later};
  report.note = "it was done and then undone: see which rows block it, then run this again";
  postponed_.insert(step.id);
  if (events_.step_ended) events_.step_ended(report, number_, count_);
  report_.steps.push_back(report);
}

// Returns false when no step is left. After a lost connection the catalogue shows whether the last step was
// committed.
bool Runner::do_next_step() {
  try {
    const std::optional<Step> step = next_step();
    if (!step) return false;
    if (done_.contains(step->id)) {
      postpone(*step);
    } else {
      work_on(*step);
    }
  } catch (const pg::Error& error) {
    stop_if_interrupted();
    if (error.kind() != pg::ErrorKind::connection) throw;
    reconnect();
    done_.clear();  // a crash may have undone it, and an index build may have left an invalid index
  }
  return true;
}

ApplyReport Runner::run() {
  connect();
  require_preconditions();
  report_.warnings = catalogue_->warnings();
  while (do_next_step()) continue;
  report_.present = count_ - std::min(count_, report_.steps.size());
  const std::vector<std::string> leaks = catalogue_->leaks();
  if (!leaks.empty())
    throw Failure(
        Exit::verify_failed,
        "all steps are done, but tenants can see each other's rows (does a role inherit privileges?):" +
            joined(leaks));
  return std::move(report_);
}

}  // namespace

ApplyReport apply(const pg::ConnectionOptions& options, const ApplyOptions& apply_options,
                  const ApplyEvents& events) {
  Runner runner(options, apply_options, events);
  return runner.run();
}

}  // namespace socialsync::migrate
