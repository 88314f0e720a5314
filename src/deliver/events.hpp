// Events that the delivery cores take, and actions that they ask for. The cores do no I/O and read no clock:
// a driver (deliver/worker.cpp, or a simulation) reports events and carries out actions.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "base/uuid.hpp"
#include "deliver/answer.hpp"
#include "deliver/delivery.hpp"
#include "deliver/endpoints.hpp"
#include "deliver/lane.hpp"
#include "pg/error.hpp"
#include "store/claims.hpp"
#include "store/deliveries.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {

// Time and randomness of one event.
struct Moment {
  TimePoint now;
  std::chrono::system_clock::time_point system_now;
  double random = 0;  // in [0, 1), another one for each event
};

// A log line of level warning.
struct Warning {
  std::string_view message;
  std::vector<log::Field> fields;
};

// --- The recorder's connection runs one statement at a time. Spans stay valid until its answer was reported.

namespace record {

struct WriteResults {  // store::record_attempts: one transaction
  std::span<const store::AttemptRow> rows;
};
struct FindLocked {  // store::locked_deliveries
  std::span<const store::DeliveryKey> keys;
};
struct WriteNews {  // store::record_endpoint_news: one transaction
  std::span<const store::EndpointNews> news;
};
struct Release {  // store::release_deliveries
  std::span<const store::DeliveryKey> keys;
};
struct Renew {  // store::renew_leases
  std::span<const store::DeliveryKey> keys;
};
using Statement = std::variant<WriteResults, FindLocked, WriteNews, Release, Renew>;

}  // namespace record

namespace event {

// Each connection is opened by the driver, which opens another after it was lost. Lost: also a statement that
// hit its deadline; whether it was committed is unknown.
struct ListenerConnected {};  // both LISTENs are in force
struct ListenerLost {};
struct Notified {  // one or more notifications arrived
  bool are_endpoints_changed = false;
};

struct ClaimerConnected {};
struct ClaimerLost {};
struct EndpointsLoaded {  // answers LoadEndpoints
  std::vector<store::EndpointState> endpoints;
  std::size_t disabled = 0;
};
struct DueFound {  // answers Scan
  std::vector<store::Due> due;
};
struct Claimed {  // answers Claim
  store::Claim claim;
};

struct RecorderConnected {};
struct RecorderLost {};
struct Committed {};  // answers WriteResults, WriteNews, Release and Renew
struct LockedFound {  // answers FindLocked
  std::vector<store::DeliveryKey> keys;
};
struct Refused {  // answers any statement of the recorder: the server's error, nothing was committed
  pg::Error error;
};

struct FreshTaken {  // committed a moment ago with a lease, and admitted by Admission::admit()
  std::vector<Delivery> deliveries;
};
struct OutboxChanged {  // rows were committed for these endpoints, without a lease
  std::vector<Uuid> endpoints;
};

struct Replied {  // answers Send: the receiver's reply, or the reason why there is none
  Delivery delivery;
  std::shared_ptr<const Target> target;
  Reply reply;
};
struct NotSent {  // answers Send: this process could not begin, or was told to stop
  Delivery delivery;
  std::string why;  // empty: the sender was stopped
};

struct Tick {};  // the time of a WakeAt has come; harmless at any other time
struct Stop {};  // shutdown: nothing more is begun

}  // namespace event

using WorkerEvent =
    std::variant<event::ListenerConnected, event::ListenerLost, event::Notified, event::ClaimerConnected,
                 event::ClaimerLost, event::EndpointsLoaded, event::DueFound, event::Claimed,
                 event::RecorderConnected, event::RecorderLost, event::Committed, event::LockedFound,
                 event::Refused, event::FreshTaken, event::OutboxChanged, event::Replied, event::NotSent,
                 event::Tick, event::Stop>;

namespace action {

// For the claimer's connection, one at a time.
struct LoadEndpoints {};  // store::select_endpoints and store::count_disabled_endpoints
struct Scan {};           // store::select_due
struct Claim {            // store::claim_deliveries
  std::vector<store::Room> rooms;
  std::int64_t first_conversation = 0;
};

struct Record {  // for the recorder's connection, one at a time
  record::Statement statement;
};
struct DropRecorder {
};  // the server cannot write now: close the recorder's connection (no RecorderLost) and back off

struct Send {  // one attempt; answered by Replied or NotSent
  Delivery delivery;
  std::shared_ptr<const Target> target;
};

struct WakeAt {  // report Tick then. The latest WakeAt replaces the ones before it
  TimePoint time;
};

struct CountAttempt {  // for the metrics: one attempt has ended
  store::AttemptRow::Result result = store::AttemptRow::Result::delivered;
  std::optional<std::chrono::milliseconds>
      first_age;  // since the receipt, when delivered by the first attempt
};
struct ReportOverdue {  // for the metrics
  std::chrono::milliseconds oldest{0};
};
struct ReportEndpoints {  // for the metrics
  std::size_t ok = 0;
  std::size_t failing = 0;
  std::size_t disabled = 0;
};

struct Finished {};  // after Stop: all is written or not worth waiting for. Close all connections

}  // namespace action

using WorkerAction = std::variant<action::LoadEndpoints, action::Scan, action::Claim, action::Record,
                                  action::DropRecorder, action::Send, action::WakeAt, action::CountAttempt,
                                  action::ReportOverdue, action::ReportEndpoints, Warning, action::Finished>;

}  // namespace socialsync::deliver
