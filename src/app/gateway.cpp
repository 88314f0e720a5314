#include "app/gateway.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "app/deliveries.hpp"
#include "app/site.hpp"
#include "app/upkeep.hpp"
#include "base/log.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/result.hpp"
#include "net/within.hpp"
#include "pg/supervisor.hpp"
#include "store/schema.hpp"

namespace socialsync::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds ready_glance{20};
// Larger batches would delay requests.
constexpr std::size_t reroute_batch_bytes_max = 1024 * 1024;

route::SharedSecrets shared_secrets(const config::Config& config) {
  return {config.whatsapp.app_secrets, config.instagram.app_secrets, config.messenger.app_secrets};
}

QuarantineKeeperLimits quarantine_limits(const config::Config& config) {
  QuarantineKeeperLimits chosen;
  chosen.reroute.batch_bytes_max = reroute_batch_bytes_max;
  chosen.reroute.pause = config.limits.reroute_pause;
  chosen.days = config.quarantine.days;
  return chosen;
}

asio::ip::tcp::endpoint endpoint_of(asio::io_context& io, const config::Config& config) {
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(config.listen_host, std::to_string(config.listen_port),
                                      asio::ip::tcp::resolver::passive);
  return found.begin()->endpoint();
}

// All parts of a running gateway, in the order of construction.
class Gateway : public Health {
 public:
  Gateway(const config::Config& config, DatabaseOwner owner, Duty duty)
      : config_(config),
        duty_(duty),
        tenants_(shared_secrets(config), ingest::TenantKeeperLimits(), config.secrets.keys),
        sightings_(config.limits.last_webhook_interval),
        batcher_(io_.get_executor(), connector(config.limits.lock_timeout), metrics_, ingest::BatchLimits()),
        quarantine_level_({config.quarantine.rows_max, config.quarantine.bytes_max}),
        deliveries_(config, io_.get_executor(), connector(config.limits.lock_timeout), metrics_),
        receiver_(tenants_, batcher_, sightings_, quarantine_level_, metrics_,
                  {config.whatsapp.verify_token, config.instagram.verify_token}, ingest::ReceiverLimits(),
                  duty == Duty::all ? &deliveries_ : nullptr),
        quarantine_(io_.get_executor(), tenants_, sightings_, quarantine_level_, metrics_,
                    quarantine_limits(config)),
        upkeep_(io_.get_executor(), connector(std::nullopt), tenants_, sightings_, quarantine_,
                {.retention_days = config.retention_days,
                 .warns_of_superuser = owner == DatabaseOwner::operators},
                {.keys = config.secrets.keys, .columns = config.secrets.sealed_columns, .passes_max = 1}),
        site_(receiver_, metrics_, *this,
              {.takes_webhooks = duty != Duty::deliver_only, .takes_tests = config.developer}),
        server_(io_.get_executor(), site_, http::Limits()),
        signals_(io_, SIGTERM, SIGINT) {}

  void run(std::function<void(const std::string& url)> on_ready) {
    net::raise_descriptor_limit();
    listen();
    start_duties();
    asio::co_spawn(io_, server_.run(), net::rethrow);
    asio::co_spawn(io_, stop_on_signal(), net::rethrow);
    const std::string url = "http://" + address(server_.port());
    log::info("listening", {{"url", url}});
    asio::co_spawn(io_, tell_when_ready(std::move(on_ready), url), net::rethrow);
    io_.run();
  }

  std::string not_ready_because() const override {
    if (duty_ == Duty::deliver_only) return deliveries_.is_ready() ? "" : "the endpoints are not loaded yet";
    if (!tenants_.current()) return "the tenant directory is not loaded yet";
    if (!upkeep_.writable()) return "the database does not accept writes";
    return "";
  }

  void observe(metrics::Metrics& metrics) const override {
    const auto tenants = tenants_.current();
    const std::chrono::duration<double> age = tenants_.age();
    metrics.directory(tenants ? tenants->directory.size() : 0, age.count());
    metrics.signature_checks(receiver_.signature_checks());
    metrics.unreadable_secrets(tenants ? tenants->unreadable.size() : 0);
    metrics.queue_depth(batcher_.queued_events(), batcher_.queued_bytes());
    metrics.connections(server_.connections());
  }

 private:
  void start_duties() {
    if (duty_ != Duty::deliver_only) {
      batcher_.start();
      upkeep_.start();
    } else {
      spawn_schema_check();
    }
    if (duty_ != Duty::ingest_only) deliveries_.start();
  }

  // For a process without upkeep, which checks the schema itself.
  void spawn_schema_check() {
    pg::Supervised check{.name = "schema check", .run = check_schema};
    check.on_failure = [](const std::exception& error) {
      if (dynamic_cast<const NotMigrated*>(&error)) throw;
    };
    asio::co_spawn(io_, pg::supervise(connector(std::nullopt), std::move(check)), net::rethrow);
  }

  static asio::awaitable<void> check_schema(pg::Connection& connection) {
    const bool is_migrated = co_await store::is_migrated(connection);
    if (!is_migrated) throw NotMigrated();
  }

  void listen() {
    try {
      server_.listen(endpoint_of(io_, config_));
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error(
          fmt::format("cannot listen on {}: {}", address(config_.listen_port), error.code().message()));
    }
  }

  std::string address(std::uint16_t port) const {
    const bool v6 = config_.listen_host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", config_.listen_host, v6 ? "]" : "", port);
  }

  pg::Connect connector(std::optional<std::chrono::milliseconds> lock_timeout) const {
    return [this, lock_timeout] { return connect(lock_timeout); };
  }

  asio::awaitable<std::unique_ptr<pg::Connection>> connect(
      std::optional<std::chrono::milliseconds> lock_timeout) const {
    pg::ConnectionOptions options = config_.database.options;
    options.emplace_back("fallback_application_name", "socialsync");  // application_name in pg_stat_activity
    auto opening = pg::Connection::open(std::move(options));
    auto connection = co_await net::within(config_.limits.connect_timeout, std::move(opening));
    co_await store::prepare_session(*connection, lock_timeout);
    co_return connection;
  }

  asio::awaitable<void> tell_when_ready(std::function<void(const std::string& url)> on_ready,
                                        std::string url) {
    asio::steady_timer glance(io_);
    while (!not_ready_because().empty()) {
      glance.expires_after(ready_glance);
      co_await glance.async_wait(net::as_result);
    }
    on_ready(url);
  }

  asio::awaitable<void> stop_on_signal() {
    co_await signals_.async_wait(asio::use_awaitable);
    log::info("stopping", {{"connections", server_.connections()}, {"queued", batcher_.queued_events()}});
    server_.stop();
    const bool all_answered = co_await server_.drained(config_.limits.shutdown_deadline);
    if (!all_answered) log::warning("shutdown: requests unanswered, their senders will retry");
    co_await batcher_.stop();
    co_await deliveries_.stop();
    co_await upkeep_.finish();
    log::info("stopped");
    io_.stop();
  }

  const config::Config& config_;
  Duty duty_;
  asio::io_context io_{1};
  metrics::Metrics metrics_;
  ingest::TenantKeeper tenants_;
  ingest::Sightings sightings_;
  ingest::Batcher batcher_;
  ingest::QuarantineLevel quarantine_level_;
  Deliveries deliveries_;
  ingest::Receiver receiver_;
  QuarantineKeeper quarantine_;
  Upkeep upkeep_;
  Site site_;
  http::Server server_;
  asio::signal_set signals_;
};

}  // namespace

void run_gateway(const config::Config& config, DatabaseOwner owner, Duty duty,
                 std::function<void(const std::string& url)> on_ready) {
  try {
    Gateway gateway(config, owner, duty);
    gateway.run(std::move(on_ready));
  } catch (const ingest::UnknownSecretsKey& error) {
    throw WrongSecretsKey(error.what());
  }
}

}  // namespace socialsync::app
