#include "operate/secrets.hpp"

#include <numeric>
#include <optional>

#include "base/failure.hpp"
#include "crypto/secret_box.hpp"
#include "model/secret_columns.hpp"
#include "store/schema.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;
using Counts = SecretColumnStatus::Counts;

std::uint64_t total_of(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& count) { return sum + count.second; });
}

asio::awaitable<void> check_access(pg::Connection& connection, const std::vector<std::string>& columns,
                                   bool writes) {
  const bool is_migrated = co_await store::is_migrated(connection);
  if (!is_migrated)
    throw Failure(Exit::refused, "the database is not migrated: run socialsync migrate apply");
  const std::string obstacle = co_await store::secrets_obstacle(connection, columns, writes);
  if (!obstacle.empty()) throw Failure(Exit::refused, obstacle);
  co_await store::limit_lock_waits(connection);
}

void count(const store::StoredSecret& secret, const crypto::SecretKeys& keys, SecretColumnStatus& column) {
  const std::string key_id(crypto::key_id_of(secret.value));
  auto opened = keys.open(secret.value, store::place_of(secret));
  if (opened) {
    ++column.encrypted[key_id];
    crypto::wipe(*opened);
  } else if (opened.error() == crypto::OpenError::unknown_key) {
    ++column.unknown_key[key_id];
  } else {
    ++column.tampered;
  }
}

// Rounded up to a thousand characters, so that longer values fit too.
std::size_t width_for(std::size_t longest) { return (longest + 999) / 1000 * 1000; }

}  // namespace

std::vector<std::string> secret_column_names() {
  std::vector<std::string> names;
  for (const model::SecretColumn& column : model::secret_columns) names.emplace_back(column.name);
  return names;
}

std::uint64_t SecretColumnStatus::encrypted_count() const { return total_of(encrypted); }
std::uint64_t SecretColumnStatus::unreadable_count() const { return total_of(unknown_key) + tampered; }

asio::awaitable<SecretStatus> secret_status(pg::Connection& connection, const crypto::SecretKeys& keys,
                                            std::function<void(std::uint64_t rows)> show) {
  const std::vector<std::string> names = secret_column_names();
  co_await check_access(connection, names, false);
  const Counts plain = co_await store::count_plain_secrets(connection);
  SecretStatus status;
  for (const std::string& name : names) status[name].plain = plain.contains(name) ? plain.at(name) : 0;
  std::uint64_t rows = 0;
  for (const std::vector<std::string>& columns : store::by_table(names)) {
    std::optional<std::string> after;
    do {
      const store::SecretPage page =
          co_await store::select_secrets(connection, store::SecretForm::sealed, columns, after);
      for (const store::StoredSecret& secret : page.secrets) count(secret, keys, status[secret.column]);
      after = page.last_id;
      rows += page.rows;
      show(rows);
    } while (after);
  }
  co_return status;
}

asio::awaitable<SecretsChanged> change_secrets(pg::Connection& connection,
                                               const store::SecretChange& change) {
  co_await check_access(connection, change.columns, !change.is_preview);
  SecretsChanged changed;
  changed.report = co_await store::change_secrets(connection, change);
  for (const auto& [column, found] : changed.report.too_narrow) {
    const std::vector<std::string> statements =
        co_await store::widening_statements(connection, column, width_for(found.longest));
    changed.statements.insert(changed.statements.end(), statements.begin(), statements.end());
  }
  co_return changed;
}

}  // namespace socialsync::operate
