#include "metrics/metrics.hpp"

#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace socialsync::metrics {
namespace {

constexpr std::size_t event_series_max = 500;

const prometheus::Histogram::BucketBoundaries batch_sizes{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
const prometheus::Histogram::BucketBoundaries commit_seconds_bounds{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                                                    0.05,   0.1,   0.25,  0.5,   1,    2.5};
const prometheus::Histogram::BucketBoundaries delivery_seconds_bounds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60};

}  // namespace

class Metrics::Registry {
 public:
  prometheus::Registry registry;

  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("socialsync_requests_total")
                                                          .Help("Webhook requests, by result")
                                                          .Register(registry);
  prometheus::Family<prometheus::Counter>& events = prometheus::BuildCounter()
                                                        .Name("socialsync_events_total")
                                                        .Help("Events, by platform, type and result")
                                                        .Register(registry);
  prometheus::Family<prometheus::Counter>& database_errors = prometheus::BuildCounter()
                                                                 .Name("socialsync_database_errors_total")
                                                                 .Help("Failed statements, by SQLSTATE")
                                                                 .Register(registry);

  prometheus::Counter& signature_checks =
      prometheus::BuildCounter()
          .Name("socialsync_signature_checks_total")
          .Help("HMACs computed: about one per request, more when strangers sign")
          .Register(registry)
          .Add({});
  prometheus::Family<prometheus::Gauge>& quarantine_rows = prometheus::BuildGauge()
                                                               .Name("socialsync_quarantine_rows")
                                                               .Help("Rows in quarantine, by reason")
                                                               .Register(registry);
  prometheus::Family<prometheus::Counter>& quarantine_removed =
      prometheus::BuildCounter()
          .Name("socialsync_quarantine_removed_total")
          .Help("Rows removed from quarantine, by the exceeded limit: age, rows, bytes")
          .Register(registry);
  prometheus::Counter& quarantine_rerouted = prometheus::BuildCounter()
                                                 .Name("socialsync_quarantine_rerouted_total")
                                                 .Help("Quarantined rows that became events")
                                                 .Register(registry)
                                                 .Add({});

  prometheus::Family<prometheus::Counter>& deliveries =
      prometheus::BuildCounter()
          .Name("socialsync_delivery_attempts_total")
          .Help("Delivery attempts, by result: delivered, again (a retry follows), given_up (dead-lettered)")
          .Register(registry);
  prometheus::Counter& delivered = deliveries.Add({{"result", "delivered"}});
  prometheus::Counter& delivered_later = deliveries.Add({{"result", "again"}});
  prometheus::Counter& given_up = deliveries.Add({{"result", "given_up"}});
  prometheus::Histogram& delivery_seconds =
      prometheus::BuildHistogram()
          .Name("socialsync_delivery_seconds")
          .Help("Time from receipt to delivery, for deliveries whose first attempt succeeded")
          .Register(registry)
          .Add({}, delivery_seconds_bounds);
  prometheus::Gauge& deliveries_in_flight =
      gauge("socialsync_deliveries_in_flight", "Deliveries that wait for the receiver's answer");
  prometheus::Gauge& deliveries_waiting =
      gauge("socialsync_deliveries_waiting", "Deliveries in memory that wait for their turn");
  // Created at the first value, so absent in a process that only receives webhooks.
  prometheus::Family<prometheus::Gauge>& deliveries_overdue =
      prometheus::BuildGauge()
          .Name("socialsync_deliveries_overdue_seconds")
          .Help("Seconds since the oldest unclaimed delivery to a URL became due")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& endpoints = prometheus::BuildGauge()
                                                         .Name("socialsync_endpoints")
                                                         .Help("Endpoints with a URL, by state")
                                                         .Register(registry);

  prometheus::Histogram& batch_events = prometheus::BuildHistogram()
                                            .Name("socialsync_batch_events")
                                            .Help("Rows per commit")
                                            .Register(registry)
                                            .Add({}, batch_sizes);
  prometheus::Histogram& commit_seconds = prometheus::BuildHistogram()
                                              .Name("socialsync_commit_seconds")
                                              .Help("Time from sending a batch to its commit")
                                              .Register(registry)
                                              .Add({}, commit_seconds_bounds);

  prometheus::Gauge& quarantine_bytes =
      gauge("socialsync_quarantine_bytes", "Bytes of the bodies in quarantine");
  prometheus::Gauge& queue_events = gauge("socialsync_queue_events", "Rows waiting for their commit");
  prometheus::Gauge& queue_bytes =
      gauge("socialsync_queue_bytes", "Bytes of the rows waiting for their commit");
  prometheus::Gauge& directory_accounts =
      gauge("socialsync_directory_accounts", "Accounts in the tenant directory");
  prometheus::Gauge& directory_age =
      gauge("socialsync_directory_age_seconds", "Time since the tenant directory was loaded");
  prometheus::Gauge& unreadable_secrets =
      gauge("socialsync_unreadable_secrets", "Encrypted secrets of accounts that cannot be decrypted");
  prometheus::Gauge& open_connections = gauge("socialsync_http_connections", "Open client connections");

  // Caches of the counters: a look-up in a family hashes all labels.
  std::unordered_map<std::string, prometheus::Counter*> known_requests;
  std::unordered_map<std::string, prometheus::Counter*> known_events;
  std::string key;

  prometheus::Gauge& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }
};

Metrics::Metrics() : registry_(std::make_unique<Registry>()) {
  for (const char* why : {"age", "rows", "bytes"}) registry_->quarantine_removed.Add({{"why", why}});
}
Metrics::~Metrics() = default;

void Metrics::request(std::string_view result) {
  registry_->key.assign(result);
  prometheus::Counter*& counter = registry_->known_requests[registry_->key];
  if (!counter) counter = &registry_->requests.Add({{"result", registry_->key}});
  counter->Increment();
}

void Metrics::event(std::string_view platform, std::string_view type, std::string_view result) {
  std::string& key = registry_->key;
  key.assign(platform).append(1, '\n').append(type).append(1, '\n').append(result);
  auto found = registry_->known_events.find(key);
  if (found == registry_->known_events.end()) {
    const bool full = registry_->known_events.size() >= event_series_max;
    if (full && type != "other") return event(platform, "other", result);
    prometheus::Counter& added = registry_->events.Add(
        {{"platform", std::string(platform)}, {"type", std::string(type)}, {"result", std::string(result)}});
    found = registry_->known_events.emplace(key, &added).first;
  }
  found->second->Increment();
}

void Metrics::batch(std::size_t events, double commit_seconds) {
  registry_->batch_events.Observe(static_cast<double>(events));
  registry_->commit_seconds.Observe(commit_seconds);
}

void Metrics::database_error(std::string_view sqlstate) {
  registry_->database_errors.Add({{"sqlstate", sqlstate.empty() ? "connection" : std::string(sqlstate)}})
      .Increment();
}

void Metrics::signature_checks(std::uint64_t total) {
  registry_->signature_checks.Increment(static_cast<double>(total) - registry_->signature_checks.Value());
}

void Metrics::quarantine_rows(std::string_view reason, std::uint64_t rows) {
  registry_->quarantine_rows.Add({{"reason", std::string(reason)}}).Set(static_cast<double>(rows));
}

void Metrics::quarantine_bytes(std::uint64_t bytes) {
  registry_->quarantine_bytes.Set(static_cast<double>(bytes));
}

void Metrics::quarantine_removed(std::string_view why, std::uint64_t rows) {
  registry_->quarantine_removed.Add({{"why", std::string(why)}}).Increment(static_cast<double>(rows));
}

void Metrics::quarantine_rerouted(std::uint64_t rows) {
  registry_->quarantine_rerouted.Increment(static_cast<double>(rows));
}

void Metrics::delivery(std::string_view result) {
  if (result == "delivered") return registry_->delivered.Increment();
  (result == "again" ? registry_->delivered_later : registry_->given_up).Increment();
}

void Metrics::delivered_first(double seconds_since_receipt) {
  registry_->delivery_seconds.Observe(seconds_since_receipt);
}

void Metrics::deliveries(std::size_t in_flight, std::size_t waiting) {
  registry_->deliveries_in_flight.Set(static_cast<double>(in_flight));
  registry_->deliveries_waiting.Set(static_cast<double>(waiting));
}

void Metrics::deliveries_overdue(double seconds) { registry_->deliveries_overdue.Add({}).Set(seconds); }

void Metrics::endpoints(std::size_t ok, std::size_t failing, std::size_t disabled) {
  registry_->endpoints.Add({{"state", "ok"}}).Set(static_cast<double>(ok));
  registry_->endpoints.Add({{"state", "failing"}}).Set(static_cast<double>(failing));
  registry_->endpoints.Add({{"state", "disabled"}}).Set(static_cast<double>(disabled));
}

void Metrics::queue_depth(std::size_t events, std::size_t bytes) {
  registry_->queue_events.Set(static_cast<double>(events));
  registry_->queue_bytes.Set(static_cast<double>(bytes));
}

void Metrics::directory(std::size_t accounts, double age_seconds) {
  registry_->directory_accounts.Set(static_cast<double>(accounts));
  registry_->directory_age.Set(age_seconds);
}

void Metrics::unreadable_secrets(std::size_t values) {
  registry_->unreadable_secrets.Set(static_cast<double>(values));
}

void Metrics::connections(std::size_t open) { registry_->open_connections.Set(static_cast<double>(open)); }

std::string Metrics::text() const {
  const prometheus::TextSerializer serializer;
  return serializer.Serialize(registry_->registry.Collect());
}

}  // namespace socialsync::metrics
