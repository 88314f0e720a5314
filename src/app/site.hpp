// The HTTP routes and their answers.
#pragma once

#include <string>
#include <string_view>

#include "http/handler.hpp"
#include "ingest/receive.hpp"
#include "metrics/metrics.hpp"

namespace socialsync::app {

// The state that /readyz and /metrics report.
class Health {
 public:
  virtual ~Health() = default;
  // Returns the reason that a webhook would not be committed now; empty: it would be.
  virtual std::string not_ready_because() const = 0;
  // Updates the gauges.
  virtual void observe(metrics::Metrics& metrics) const = 0;
};

// The routes that exist besides those for operators.
struct SiteRoutes {
  bool takes_webhooks = true;
  bool takes_tests = false;  // unsigned ones: for developers
};

class Site : public http::Handler {
 public:
  // All outlive the site.
  Site(ingest::Receiver& receiver, metrics::Metrics& metrics, const Health& health, SiteRoutes routes)
      : receiver_(receiver), metrics_(metrics), health_(health), routes_(routes) {}

  std::optional<http::Response> refuse(const http::Request& head) override;
  boost::asio::awaitable<http::Response> handle(http::Request request) override;
  void protocol_error(int status) override;

 private:
  boost::asio::awaitable<http::Response> dispatch(http::Request request);
  http::Response ready() const;
  http::Response metrics_page() const;

  ingest::Receiver& receiver_;
  metrics::Metrics& metrics_;
  const Health& health_;
  SiteRoutes routes_;
};

}  // namespace socialsync::app
