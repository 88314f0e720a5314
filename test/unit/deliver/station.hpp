// A worker core for tests.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "deliver/worker_core.hpp"
#include "unit/deliver/cores.hpp"

namespace socialsync::deliver::testing {

using namespace std::chrono_literals;
using event::Committed;

inline store::EndpointState loaded(char name, std::string url = "https://bot.example/") {
  store::EndpointState state{.endpoint = {}, .failing_since_ms = {}};
  state.endpoint.id = endpoint_id(name);
  state.endpoint.url = std::move(url);
  return state;
}

inline store::Claimed row(char endpoint, int event, int attempts = 0) {
  store::Claimed claimed;
  claimed.key = row_key(endpoint, event);
  claimed.attempts = attempts;
  claimed.payload = "{}";
  return claimed;
}

// A worker core at a time of its own. report() gives its actions as "load endpoints, claim A:128, send A1".
class Station {
 public:
  explicit Station(WorkerLimits limits = {}) : core(limits) {}

  std::string report(WorkerEvent event) {
    std::vector<WorkerAction> actions;
    core.resume(std::move(event), {.now = now, .system_now = system_now, .random = 0}, actions);
    std::string text;
    for (WorkerAction& action : actions)
      append_text(text, std::visit([this](auto& each) { return this->take(each); }, action));
    CHECK(core.lanes().are_counts_right());
    CHECK(core.leases() == core.in_flight() + core.waiting() + core.results());
    return text;
  }
  // Lets time pass, with a Tick whenever one was asked for; the actions in between and at the end.
  std::string after(std::chrono::milliseconds time) {
    const TimePoint end = now + time;
    std::string text;
    while (wake_at <= end) {
      advance(wake_at - now);
      wake_at = TimePoint::max();
      append_text(text, report(event::Tick{}));
    }
    advance(end - now);
    return text;
  }

  // Connected, with these endpoints and an empty outbox.
  void start(std::vector<store::EndpointState> endpoints) {
    CHECK(report(event::ListenerConnected{}).empty());
    CHECK(report(event::RecorderConnected{}).empty());
    CHECK(report(event::ClaimerConnected{}) == "load endpoints");
    reload(std::move(endpoints));
  }
  // Answers LoadEndpoints, and Scan with an empty outbox where it follows.
  void reload(std::vector<store::EndpointState> endpoints) {
    const std::string next = report(event::EndpointsLoaded{.endpoints = std::move(endpoints)});
    if (next == "scan") CHECK(report(event::DueFound{}).empty());
  }
  std::string change(char endpoint) { return report(event::OutboxChanged{{endpoint_id(endpoint)}}); }
  std::string claimed(char endpoint, std::vector<int> events, int attempts = 0) {
    store::Claim claim;
    for (const int event : events) claim.rows.push_back(row(endpoint, event, attempts));
    return report(event::Claimed{std::move(claim)});
  }
  // Claims rows of one endpoint, which are sent as far as possible.
  std::string claim(char endpoint, const std::vector<int>& events, int attempts = 0) {
    CHECK(change(endpoint).empty());
    CHECK(after(5ms).starts_with("claim "));
    return claimed(endpoint, events, attempts);
  }
  std::string fresh(char endpoint, const std::vector<int>& events) {
    event::FreshTaken taken;
    for (const int number : events) {
      auto event = std::make_shared<Event>();
      event->id = row_key(endpoint, number).event_id;
      taken.deliveries.push_back({.event = std::move(event), .endpoint_id = endpoint_id(endpoint)});
    }
    return report(std::move(taken));
  }
  // Ends the attempt of a row that was sent.
  std::string reply(char endpoint, int event, int status, std::chrono::milliseconds took = 20ms) {
    action::Send send = take_sent(endpoint, event);
    Reply answer;
    answer.status = status;
    answer.took = took;
    return report(event::Replied{std::move(send.delivery), std::move(send.target), std::move(answer)});
  }
  std::string not_sent(char endpoint, int event, std::string why) {
    action::Send send = take_sent(endpoint, event);
    return report(event::NotSent{std::move(send.delivery), std::move(why)});
  }
  // Fails so many attempts of one endpoint, one after another, and writes the results.
  void fail(char endpoint, int times) {
    for (int event = 101; event < 101 + times; ++event) {
      CHECK(fresh(endpoint, {event}).starts_with("send"));
      CHECK(reply(endpoint, event, 500).starts_with("count again"));
    }
    settle();
  }
  // Answers all that the recorder asks for, and claims that find nothing, until nothing happens.
  void settle() {
    std::string next = after(20ms);
    for (int i = 0; i < 10 && !next.empty(); ++i) {
      if (next.find("claim ") != std::string::npos) CHECK_FALSE(claimed('A', {}).starts_with("claim "));
      next = next.find("write ") != std::string::npos || next.find("release ") != std::string::npos
                 ? report(Committed{})
                 : after(20ms);
    }
  }

  TimePoint now{1h};
  std::chrono::system_clock::time_point system_now{std::chrono::days{20'000}};
  TimePoint wake_at = TimePoint::max();
  WorkerCore core;
  std::vector<action::Send> sent;
  std::vector<std::string> counted;

 private:
  void advance(TimePoint::duration time) {
    now += time;
    system_now += std::chrono::duration_cast<std::chrono::system_clock::duration>(time);
  }
  action::Send take_sent(char endpoint, int event) {
    const auto found = std::ranges::find_if(sent, [&](const action::Send& send) {
      return send.delivery.endpoint_id == endpoint_id(endpoint) &&
             send.delivery.event->id == row_key(endpoint, event).event_id;
    });
    REQUIRE(found != sent.end());
    action::Send send = std::move(*found);
    sent.erase(found);
    return send;
  }

  static std::string take(action::LoadEndpoints&) { return "load endpoints"; }
  static std::string take(action::Scan&) { return "scan"; }
  static std::string take(action::Claim& claim) {
    std::string text = "claim";
    for (const store::Room& room : claim.rooms)
      text += " " + name_of(room.endpoint_id) + ":" + std::to_string(room.rows) +
              (room.is_ordered ? " in order" : "");
    return text;
  }
  static std::string take(action::Record& record) { return text_of(record.statement); }
  static std::string take(action::DropRecorder&) { return "drop recorder"; }
  std::string take(action::Send& send) {
    const store::DeliveryKey key{send.delivery.event->id, send.delivery.endpoint_id};
    sent.push_back(std::move(send));
    return "send " + name_of(key);
  }
  std::string take(action::WakeAt& wake) {
    CHECK(wake.time > now);
    wake_at = wake.time;
    return {};
  }
  static std::string take(action::CountAttempt& count) {
    using Result = store::AttemptRow::Result;
    return count.result == Result::delivered ? "count delivered"
           : count.result == Result::again   ? "count again"
                                             : "count dead letter";
  }
  static std::string take(action::ReportOverdue&) { return {}; }
  static std::string take(action::ReportEndpoints&) { return {}; }
  static std::string take(Warning& warning) { return "warning: " + std::string(warning.message); }
  static std::string take(action::Finished&) { return "finished"; }
};

}  // namespace socialsync::deliver::testing
