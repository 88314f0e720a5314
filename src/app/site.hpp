// What the server answers: one table of routes.
#pragma once

#include <string>
#include <string_view>

#include "http/handler.hpp"
#include "ingest/receive.hpp"
#include "metrics/metrics.hpp"

namespace socialsync::app {

// What /readyz and /metrics ask.
class Health {
 public:
  virtual ~Health() = default;
  // Empty when a webhook would be committed now; else what is missing.
  virtual std::string not_ready_because() const = 0;
  // Brings the gauges up to date.
  virtual void observe(metrics::Metrics& metrics) const = 0;
};

// Which routes there are beside those for operators.
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
