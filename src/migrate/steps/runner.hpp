#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "migrate/interrupt.hpp"
#include "migrate/steps/apply.hpp"

namespace socialsync::migrate {

// One run of apply(): holds the lock that only one run can hold.
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
  void refuse_what_cannot_work();
  bool do_next_step();
  std::optional<Step> next_step();
  void put_off(const Step& step);
  void work_on(const Step& step);
  Attempt attempt(const Step& step, StepReport& report);
  void tell_changed_rows(const Step& step, const pg::ResultSet& lines);
  void run_alone(const Step& step);
  void run_in_transaction(const Step& step, StepReport& report);
  // Writes to the ledger; what was done before there was one too, as soon as there is.
  void record(const Step& step, const StepReport& report);
  void refuse_wraparound_vacuum(const Step& step);
  void insert(const Entry& entry);
  void forget_recorded();
  void wait_before_next(const Step& step, StepReport& report, Clock::time_point deadline);
  void fault(Fault::Moment moment, const Step& step) const;
  void stop_if_interrupted() const;
  std::string label_of(const Step& step) const;

  pg::ConnectionOptions options_;
  ApplyOptions apply_options_;
  const ApplyEvents& events_;
  std::unique_ptr<Catalogue> catalogue_;
  std::atomic<const pg::Session*> to_cancel_ = nullptr;
  Interrupt interrupt_;
  ApplyReport report_;
  std::set<std::string> put_off_;  // steps that rows are in the way of
  std::set<std::string> done_;
  std::map<std::string, Clock::time_point> deadlines_;  // by step
  std::string waited_for_;                              // by the statement that was blocked last
  bool is_duplicate_ = false;                           // the last attempt failed of one
  std::vector<Entry> unrecorded_;
  bool has_ledger_ = false;
  std::size_t number_ = 0;
  std::size_t count_ = 0;
};

}  // namespace socialsync::migrate
