#include "deliver/worker_core.hpp"

#include <doctest/doctest.h>

#include "unit/deliver/station.hpp"

namespace socialsync::deliver {
namespace {

using namespace testing;

TEST_CASE("worker: loads endpoints, reads the outbox, claims what is due, sends it, records it") {
  Station station;
  CHECK(station.report(event::ClaimerConnected{}) == "load endpoints");
  CHECK_FALSE(station.core.is_ready());
  CHECK(station.report(event::EndpointsLoaded{{loaded('A'), loaded('B')}, 0}) == "scan");
  CHECK(station.report(event::DueFound{{{endpoint_id('A'), -1s}, {endpoint_id('B'), 20s}}}) == "claim A:128");
  CHECK(station.core.is_ready());
  CHECK(station.claimed('A', {1, 2}) == "send A1, send A2");
  CHECK(station.core.in_flight() == 2);
  CHECK(station.report(event::RecorderConnected{}).empty());
  CHECK(station.reply('A', 1, 204) == "count delivered");
  CHECK(station.after(20ms) == "write A1");
  CHECK(station.reply('A', 2, 200) == "count delivered");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.core.leases() == 1);
  CHECK(station.after(20ms) == "write A2");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.core.leases() == 0);
  CHECK(station.after(19s).empty());
  CHECK(station.after(1s) == "claim B:128");
}

TEST_CASE("worker: claims again as long as something is found, and then when something is due or announced") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.after(100ms).empty());
  CHECK(station.change('A').empty());
  CHECK(station.after(4ms).empty());
  CHECK(station.change('A').empty());
  CHECK(station.after(1ms) == "claim A:128");
  CHECK(station.change('A').empty());  // while the claim runs
  CHECK(station.claimed('A', {1}) == "send A1");
  CHECK(station.after(5ms) == "claim A:128");
  store::Claim claim;
  claim.next.push_back({endpoint_id('A'), 10s});
  CHECK(station.report(event::Claimed{claim}).empty());
  CHECK(station.after(9'999ms).empty());
  CHECK(station.after(1ms) == "claim A:128");
}

TEST_CASE(
    "worker: notifications are followed by a look at the outbox, and at the endpoints if they changed") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.report(event::Notified{}).empty());
  CHECK(station.after(5ms) == "scan");
  CHECK(station.report(event::DueFound{}).empty());
  CHECK(station.report(event::Notified{.are_endpoints_changed = true}).empty());
  CHECK(station.after(5ms) == "load endpoints");
  CHECK(station.report(event::EndpointsLoaded{{loaded('A')}, 0}) == "scan");
  CHECK(station.report(event::DueFound{}).empty());
  CHECK(station.after(29s).empty());
  CHECK(station.after(1s) == "load endpoints");  // behind the notifications
}

TEST_CASE("worker: a failed attempt is scheduled again, and the last one is dead-lettered") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.claim('A', {1}) == "send A1");
  CHECK(station.reply('A', 1, 500) == "count again");
  CHECK(station.after(20ms).find("write A1") != std::string::npos);
  CHECK(station.report(Committed{}) == "write news A");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.core.leases() == 0);
  CHECK(station.claim('A', {2}, 8) == "send A2");
  CHECK(station.reply('A', 2, 500) == "count again");
  CHECK(station.claim('A', {3}, 9) == "send A3");
  CHECK(station.reply('A', 3, 500) == "count dead letter");
}

TEST_CASE("worker: a retry is claimed when its time has come") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.fresh('A', {1}) == "send A1");
  CHECK(station.reply('A', 1, 500) == "count again");
  station.settle();
  CHECK(station.after(4'900ms).empty());
  CHECK(station.after(100ms) == "claim A:128");
  CHECK(station.claimed('A', {1}, 1) == "send A1");
}

TEST_CASE("worker: 410 disables the endpoint, and endpoints are loaded again when that is written") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.claim('A', {1}) == "send A1");
  CHECK(station.reply('A', 1, 410) == "count again, warning: endpoint disabled");
  CHECK(station.after(20ms) == "write A1");
  CHECK(station.report(Committed{}) == "write news A");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.after(5ms) == "load endpoints");
  CHECK(station.report(event::EndpointsLoaded{{}, 1}).empty());
  CHECK(station.fresh('A', {2}).empty());
  CHECK(station.core.leases() == 0);
}

TEST_CASE("worker: rows that find no room are released, and not claimed again at once") {
  WorkerLimits limits;
  limits.lanes.waiting_max = limits.lanes.lane_waiting_max = 2;
  Station station(limits);
  station.start({loaded('A')});
  CHECK(station.change('A').empty());
  CHECK(station.after(5ms) == "claim A:1");
  CHECK(station.claimed('A', {1, 2, 3}) == "send A1");
  CHECK(station.core.leases() == 1);
  CHECK(station.after(20ms).find("release A2 A3") != std::string::npos);
  CHECK(station.report(Committed{}).empty());
  CHECK(station.after(170ms).empty());
  CHECK(station.after(10ms) == "claim A:1");
}

TEST_CASE("worker: an event that was deleted is recorded, and not sent") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.change('A').empty());
  CHECK(station.after(5ms) == "claim A:128");
  store::Claim claim;
  claim.rows.push_back(row('A', 1));
  claim.rows.back().payload.reset();
  CHECK(station.report(event::Claimed{std::move(claim)}).find("send") == std::string::npos);
  CHECK(station.core.results() == 1);
  CHECK(station.after(20ms).find("write A1") != std::string::npos);
}

TEST_CASE("worker: a fresh delivery is sent once, and stays admitted until it begins") {
  WorkerLimits limits;
  limits.admission.endpoint_waiting_max = 1;
  Station station(limits);
  Admission& admission = station.core.admission();
  CHECK_FALSE(admission.admit(endpoint_id('A')));
  store::EndpointState slow = loaded('A');
  slow.endpoint.concurrent_max = 1;
  station.start({slow});
  CHECK(admission.admit(endpoint_id('A')));
  CHECK(station.fresh('A', {1}) == "send A1");
  CHECK(admission.admit(endpoint_id('A')));
  CHECK(station.fresh('A', {2}).empty());
  CHECK_FALSE(admission.admit(endpoint_id('A')));
  CHECK(station.fresh('A', {2}).empty());  // its lease is held already
  CHECK(admission.admit(endpoint_id('A')));
  CHECK(station.reply('A', 1, 200) == "count delivered, send A2");
}

TEST_CASE("worker: five failures open the breaker: what waits is released, and a probe is claimed later") {
  Station station;
  store::EndpointState narrow = loaded('A');
  narrow.endpoint.concurrent_max = 1;
  station.start({narrow, loaded('B')});
  station.fail('A', 4);
  CHECK(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.fresh('A', {1, 2, 3}) == "send A1");
  CHECK(station.reply('A', 1, 500) == "count again");
  CHECK_FALSE(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.core.waiting() == 0);
  CHECK(station.core.leases() == 1);
  const std::string released = station.after(20ms);
  CHECK(released.find("write A1") != std::string::npos);
  CHECK(station.report(Committed{}) == "release A2 A3");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.change('A').empty());
  CHECK(station.after(29'900ms).find("claim") == std::string::npos);
  const std::string next = station.after(200ms);
  CHECK(next.find("load endpoints") != std::string::npos);
  CHECK(station.report(event::EndpointsLoaded{{narrow, loaded('B')}, 0}) == "scan");
  CHECK(station.report(event::DueFound{{{endpoint_id('A'), -1s}}}) == "claim A:1");
  CHECK(station.claimed('A', {2}, 0) == "send A2");
  CHECK(station.after(1s).find("claim") == std::string::npos);  // one probe at a time
  CHECK(station.reply('A', 2, 200) == "count delivered, write A2");
  CHECK(station.core.admission().admit(endpoint_id('A')));
}

TEST_CASE("worker: a delivery that was not sent is released, and does not count against its endpoint") {
  Station station;
  station.start({loaded('A')});
  station.fail('A', 4);
  for (int event = 1; event <= 10; ++event) {
    CHECK(station.fresh('A', {event}) == "send A" + std::to_string(event));
    CHECK(station.not_sent('A', event, "no memory") == "warning: delivery not sent, will retry");
  }
  CHECK(station.core.leases() == 0);
  CHECK(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.after(20ms).find("release A1 A2 A3 A4 A5 A6 A7 A8 A9 A10") != std::string::npos);
  CHECK(station.fresh('A', {20}) == "send A20");
  CHECK(station.not_sent('A', 20, "").empty());
  CHECK(station.fresh('A', {21}) == "send A21");
  CHECK(station.reply('A', 21, 500) == "count again");  // the fifth failure in a row
  CHECK_FALSE(station.core.admission().admit(endpoint_id('A')));
}

TEST_CASE("worker: a repaired endpoint is sent to at once, and what ended at its old URL says nothing") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.claim('A', {1, 2}) == "send A1, send A2");
  station.fail('A', 5);
  CHECK_FALSE(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.report(event::Notified{.are_endpoints_changed = true}).empty());
  CHECK(station.after(5ms) == "load endpoints");
  CHECK(station.report(event::EndpointsLoaded{{loaded('A', "https://other.example/")}, 0}) == "scan");
  CHECK(station.report(event::DueFound{{{endpoint_id('A'), 0s}}}) == "claim A:128");
  CHECK(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.claimed('A', {3}) == "send A3");
  CHECK(station.reply('A', 1, 410) == "count again");  // the old URL is gone, the endpoint is not
  CHECK(station.reply('A', 3, 200) == "count delivered");
  CHECK(station.core.admission().admit(endpoint_id('A')));
}

TEST_CASE("worker: a disabled endpoint's deliveries are released, those in flight still count") {
  Station station;
  store::EndpointState narrow = loaded('A');
  narrow.endpoint.concurrent_max = 1;
  station.start({narrow, loaded('B')});
  CHECK(station.claim('A', {1, 2}) == "send A1");
  CHECK(station.report(event::Notified{.are_endpoints_changed = true}).empty());
  CHECK(station.after(5ms) == "load endpoints");
  CHECK(station.report(event::EndpointsLoaded{{loaded('B')}, 1}) == "scan");
  CHECK(station.report(event::DueFound{}).empty());
  CHECK(station.after(20ms) == "release A2");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.reply('A', 1, 200) == "count delivered");
  CHECK(station.core.in_flight() == 0);
  CHECK(station.core.leases() == 1);
}

TEST_CASE("worker: the next row of an ordered conversation is claimed when the one before is written") {
  Station station;
  store::EndpointState ordered = loaded('A');
  ordered.endpoint.is_ordered = true;
  station.start({ordered});
  CHECK(station.change('A').empty());
  CHECK(station.after(5ms) == "claim A:128 in order");
  CHECK(station.claimed('A', {1}) == "send A1");
  CHECK(station.after(5ms).empty());  // nothing else is known to be due
  CHECK(station.reply('A', 1, 200) == "count delivered");
  CHECK(station.after(20ms) == "write A1");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.after(5ms) == "claim A:128 in order");
}

TEST_CASE("worker: nothing is claimed or sent while too many results are not written") {
  WorkerLimits limits;
  limits.recorder.results_waiting_max = 2;
  Station station(limits);
  store::EndpointState narrow = loaded('A');
  narrow.endpoint.concurrent_max = 1;
  station.start({narrow});
  CHECK(station.fresh('A', {1, 2, 3}) == "send A1");
  CHECK(station.reply('A', 1, 200) == "count delivered, send A2");
  CHECK(station.reply('A', 2, 200) == "count delivered");
  CHECK(station.change('A').empty());
  CHECK(station.after(20ms) == "write A1 A2");
  CHECK(station.report(Committed{}) == "send A3");
  CHECK(station.after(5ms) == "claim A:128");
}

TEST_CASE("worker: a lost claim is forgotten, and the outbox is read again") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.change('A').empty());
  CHECK(station.after(5ms) == "claim A:128");
  CHECK(station.report(event::ClaimerLost{}).empty());
  CHECK_FALSE(station.core.is_ready());
  CHECK(station.core.needs_claimer());
  CHECK(station.after(1min).empty());
  CHECK(station.report(event::ClaimerConnected{}) == "load endpoints");
  CHECK(station.report(event::EndpointsLoaded{{loaded('A')}, 0}) == "scan");
  CHECK(station.report(event::DueFound{{{endpoint_id('A'), 0s}}}) == "claim A:128");
  CHECK(station.core.is_ready());
}

TEST_CASE("worker: a connection that is lost while results are written leaves them to the next") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.fresh('A', {1}) == "send A1");
  CHECK(station.reply('A', 1, 200) == "count delivered");
  CHECK(station.after(20ms) == "write A1");
  CHECK(station.report(event::RecorderLost{}).empty());
  CHECK_FALSE(station.core.is_ready());
  CHECK(station.core.leases() == 1);
  CHECK(station.report(event::RecorderConnected{}) == "write A1");
  CHECK(station.report(refused(shutdown)) == "drop recorder");
  CHECK(station.report(event::RecorderConnected{}) == "write A1");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.core.leases() == 0);
}

TEST_CASE("worker: on shutdown waiting deliveries are released, those in flight end and are recorded") {
  Station station;
  store::EndpointState narrow = loaded('A');
  narrow.endpoint.concurrent_max = 1;
  station.start({narrow});
  CHECK(station.claim('A', {1, 2}) == "send A1");
  CHECK(station.report(event::Stop{}).find("finished") == std::string::npos);
  CHECK_FALSE(station.core.needs_claimer());
  CHECK(station.core.waiting() == 0);
  CHECK_FALSE(station.core.admission().admit(endpoint_id('A')));
  CHECK(station.fresh('A', {3}).find("send") == std::string::npos);
  CHECK(station.core.leases() == 1);
  CHECK(station.report(Committed{}) == "release A3");
  CHECK(station.report(Committed{}).empty());
  CHECK(station.core.needs_recorder(station.now));
  CHECK(station.reply('A', 1, 500) == "count again, write A1");
  CHECK(station.report(Committed{}) == "write news A");
  CHECK(station.report(Committed{}) == "finished");
}

TEST_CASE("worker: on shutdown the rows of a running claim are released") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.change('A').empty());
  CHECK(station.after(5ms) == "claim A:128");
  CHECK(station.report(event::Stop{}).empty());
  CHECK(station.claimed('A', {1}) == "release A1");
  CHECK(station.report(Committed{}) == "finished");
}

TEST_CASE("worker: on shutdown locked results are written again until the patience is over") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.fresh('A', {1}) == "send A1");
  CHECK(station.report(event::Stop{}).empty());
  CHECK(station.reply('A', 1, 200) == "count delivered, write A1");
  CHECK(station.report(refused(lock_timeout)) == "find locked A1");
  CHECK(station.report(event::LockedFound{{row_key('A', 1)}}).empty());
  for (int round = 0; round < 4; ++round) {
    CHECK(station.after(2s) == "write A1");
    CHECK(station.report(refused(lock_timeout)) == "find locked A1");
    CHECK(station.report(event::LockedFound{{row_key('A', 1)}}).empty());
  }
  CHECK(station.after(2s).find("write A1") == 0);
  CHECK(station.report(refused(lock_timeout)) == "find locked A1");
  CHECK(station.report(event::LockedFound{{row_key('A', 1)}}) == "finished");
}

TEST_CASE("worker: on shutdown results wait for an unreachable database, for a time after the last result") {
  Station station;
  station.start({loaded('A')});
  CHECK(station.fresh('A', {1}) == "send A1");
  CHECK(station.report(event::RecorderLost{}).empty());
  CHECK(station.report(event::Stop{}).empty());
  CHECK(station.after(14s).empty());
  CHECK(station.reply('A', 1, 200) == "count delivered");
  CHECK(station.after(9'999ms).empty());
  CHECK(station.core.needs_recorder(station.now));
  CHECK(station.after(1ms) == "finished");
  CHECK_FALSE(station.core.needs_recorder(station.now));
}

TEST_CASE("worker: an endpoint that failed for five days is disabled after ten failures in a row") {
  Station station;
  store::EndpointState failing = loaded('A');
  failing.failing_since_ms = 0;
  failing.warned_percent = 90;
  station.start({failing});
  CHECK(station.claim('A', {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).ends_with("send A10"));
  for (int event = 1; event < 10; ++event) CHECK(station.reply('A', event, 500) == "count again");
  CHECK(station.reply('A', 10, 500) == "count again, warning: endpoint disabled");
}

}  // namespace
}  // namespace socialsync::deliver
