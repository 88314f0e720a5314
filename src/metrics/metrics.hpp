// The program's metrics; the only prometheus-cpp code. One thread writes; text() may be called at any time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace socialsync::metrics {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // An answered request: `result` is a fixed word such as committed, signature_wrong, overloaded.
  void request(std::string_view result);
  // `type` comes from the body: beyond a bounded number of types it counts as "other".
  void event(std::string_view platform, std::string_view type, std::string_view result);
  void batch(std::size_t events, double commit_seconds);
  void database_error(std::string_view sqlstate);

  // The total of computed HMACs.
  void signature_checks(std::uint64_t total);
  // The size of the quarantine at its last count.
  void quarantine_rows(std::string_view reason, std::uint64_t rows);
  void quarantine_bytes(std::uint64_t bytes);
  // `why` is age, rows or bytes.
  void quarantine_removed(std::string_view why, std::uint64_t rows);
  void quarantine_rerouted(std::uint64_t rows);

  // A delivery attempt: `result` is delivered, again or given_up. These five may be called from any thread.
  void delivery(std::string_view result);
  void delivered_first(double seconds_since_receipt);  // first attempts of fresh deliveries only
  void deliveries(std::size_t in_flight, std::size_t waiting);
  void deliveries_overdue(double seconds);
  void endpoints(std::size_t ok, std::size_t failing, std::size_t disabled);  // endpoints with a URL

  void queue_depth(std::size_t events, std::size_t bytes);
  void directory(std::size_t accounts, double age_seconds);
  void unreadable_secrets(std::size_t values);
  void connections(std::size_t open);

  // Prometheus text format 0.0.4.
  std::string text() const;

 private:
  class Registry;
  std::unique_ptr<Registry> registry_;
};

}  // namespace socialsync::metrics
