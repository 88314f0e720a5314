#include "app/upkeep.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "net/result.hpp"
#include "net/within.hpp"
#include "store/schema.hpp"
#include "store/secrets.hpp"

namespace socialsync::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds shutdown_check_interval{500};
constexpr std::chrono::seconds statement_timeout{10};
constexpr std::chrono::seconds writable_for{5};  // after the last successful check
constexpr std::chrono::seconds privileges_interval{5};

bool ends_the_program(const std::exception& error) {
  return dynamic_cast<const NotMigrated*>(&error) || dynamic_cast<const ingest::UnknownSecretsKey*>(&error);
}

// A refused statement does not mean that the database refuses others.
bool means_unreachable(const std::exception& error) {
  const auto* refused = dynamic_cast<const pg::Error*>(&error);
  return !refused || refused->kind() == pg::ErrorKind::connection || refused->sqlstate().empty();
}

}  // namespace

NotMigrated::NotMigrated()
    : Failure(Exit::refused,
              "the database is not migrated; run:  socialsync migrate sql | psql -X DATABASE\n"
              "or, to try it with a private database:  socialsync up") {}

Upkeep::Upkeep(asio::any_io_executor executor, pg::Connect connect, ingest::TenantKeeper& tenants,
               ingest::Sightings& sightings, QuarantineKeeper& quarantine, UpkeepLimits limits,
               store::SecretChange encryption)
    : executor_(std::move(executor)),
      connect_(std::move(connect)),
      tenants_(tenants),
      sightings_(sightings),
      quarantine_(quarantine),
      limits_(limits),
      encryption_(std::move(encryption)) {}

void Upkeep::start() {
  spawn("tenant directory", [this](pg::Connection& connection) { return watch_accounts(connection); });
  spawn("sightings", [this](pg::Connection& connection) { return record_sightings(connection); });
  spawn("partitions", [this](pg::Connection& connection) { return maintain(connection); });
  spawn("quarantine routing", [this](pg::Connection& connection) { return quarantine_.reroute(connection); });
  spawn("quarantine cap", [this](pg::Connection& connection) { return quarantine_.bound(connection); });
  if (encryption_.columns.empty()) return;
  spawn("secrets", [this](pg::Connection& connection) { return encrypt_secrets(connection); });
}

void Upkeep::spawn(const char* name, Task task) {
  pg::Supervised supervised{.name = name, .run = std::move(task)};
  supervised.on_failure = [this](const std::exception& error) {
    if (ends_the_program(error)) throw;
    if (means_unreachable(error)) writable_at_.reset();
  };
  asio::co_spawn(executor_, pg::supervise(connect_, std::move(supervised)), net::rethrow);
}

bool Upkeep::writable() const {
  return writable_at_ && std::chrono::steady_clock::now() - *writable_at_ < writable_for;
}

asio::awaitable<void> Upkeep::check_database(pg::Connection& connection) {
  const bool migrated = co_await store::is_migrated(connection);
  if (!migrated) throw NotMigrated();
  const bool is_superuser = co_await store::is_superuser(connection);
  if (is_superuser && limits_.warns_of_superuser)
    log::warning("connected as a superuser, use the gateway role: socialsync migrate sql --gateway-role");
  checked_database_ = true;
}

asio::awaitable<void> Upkeep::watch_accounts(pg::Connection& connection) {
  if (!checked_database_) co_await check_database(connection);
  co_await tenants_.run(connection);
}

asio::awaitable<void> Upkeep::record_sightings(pg::Connection& connection) {
  asio::steady_timer tick(executor_);
  for (;;) {
    auto question = store::is_writable(connection);
    const bool writable = co_await net::within(statement_timeout, std::move(question));
    writable_at_ = writable ? std::optional(std::chrono::steady_clock::now()) : std::nullopt;
    if (writable) co_await write_sightings(connection);
    tick.expires_after(shutdown_check_interval);
    co_await tick.async_wait(net::as_result);
  }
}

// A refused row does not mean that the connection failed.
asio::awaitable<void> Upkeep::write_sightings(pg::Connection& connection) {
  try {
    auto work = sightings_.write_due(connection);
    co_await net::within(statement_timeout, std::move(work));
  } catch (const pg::Error& error) {
    if (error.kind() == pg::ErrorKind::connection) throw;
    log::warning("last_webhook_at not written", {{"sqlstate", error.sqlstate()}, {"error", error.what()}});
  }
}

asio::awaitable<void> Upkeep::maintain(pg::Connection& connection) {
  asio::steady_timer timer(executor_);
  for (;;) {
    const std::vector<std::string> done =
        co_await store::maintain_partitions(connection, limits_.retention_days);
    for (const std::string& line : done) log::info("partition maintained", {{"done", line}});
    timer.expires_after(limits_.maintenance_interval);
    co_await timer.async_wait(net::as_result);
  }
}

// Returns the columns that this role may read and write. Missing privileges for the others are logged once.
asio::awaitable<std::vector<std::string>> Upkeep::writable_secret_columns(pg::Connection& connection) {
  std::vector<std::string> writable;
  std::vector<std::string> refused;
  for (const std::string& column : encryption_.columns) {
    const std::span<const std::string> alone(&column, 1);
    const std::string obstacle = co_await store::secrets_obstacle(connection, alone, true);
    (obstacle.empty() ? writable : refused).push_back(column);
  }
  const std::string missing = co_await store::secrets_obstacle(connection, refused, true);
  if (missing != missing_privilege_ && !missing.empty())
    log::warning("new secrets are not encrypted: privilege missing", {{"error", missing}});
  missing_privilege_ = missing;
  co_return writable;
}

// Looks for plaintext secrets after each load of the directory, which every change of an account causes, and
// when this role's column privileges have grown.
asio::awaitable<void> Upkeep::encrypt_secrets(pg::Connection& connection) {
  co_await store::limit_lock_waits(connection);
  asio::steady_timer tick(executor_);
  std::uint64_t looked_at_load = 0;
  store::SecretChange change = encryption_;
  change.columns.clear();
  std::chrono::steady_clock::time_point ask_rights_at;
  bool is_left = false;
  for (;;) {
    bool is_due = is_left || tenants_.loads() != looked_at_load;
    looked_at_load = tenants_.loads();
    if (change.columns != encryption_.columns && std::chrono::steady_clock::now() >= ask_rights_at) {
      std::vector<std::string> columns = co_await writable_secret_columns(connection);
      is_due = is_due || columns != change.columns;
      change.columns = std::move(columns);
      ask_rights_at = std::chrono::steady_clock::now() + privileges_interval;
    }
    if (is_due && !change.columns.empty()) {
      const store::SecretReport report = co_await store::change_secrets(connection, change);
      is_left = report.busy > 0 || report.held_off;
      report_encrypted(report);
    }
    tick.expires_after(shutdown_check_interval);
    co_await tick.async_wait(net::as_result);
  }
}

void Upkeep::report_encrypted(const store::SecretReport& report) {
  for (const auto& [column, count] : report.changed)
    log::info("plaintext secrets encrypted", {{"column", column}, {"values", count}});
  if (report.too_narrow == too_narrow_) return;
  too_narrow_ = report.too_narrow;
  for (const auto& [column, found] : too_narrow_)
    log::warning("plaintext secrets not encrypted: column too narrow, run socialsync secrets encrypt",
                 {{"column", column}, {"values", found.values}});
}

asio::awaitable<void> Upkeep::finish() {
  try {
    const std::unique_ptr<pg::Connection> connection = co_await connect_();
    auto work = sightings_.flush(*connection);
    co_await net::within(statement_timeout, std::move(work));
  } catch (const std::exception& error) {
    log::warning("shutdown: sightings not written", {{"error", error.what()}});
  }
}

}  // namespace socialsync::app
