#include "store/secret_change.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "store/secrets.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;
using Kind = SecretChange::Kind;

constexpr std::chrono::milliseconds pause_between_passes{500};
constexpr std::size_t batch_values_max = 200;  // rows locked together

class Walk {
 public:
  Walk(pg::Connection& connection, const SecretChange& change) : connection_(connection), change_(change) {
    const std::vector<std::string> ids = change.keys.ids();
    if (!ids.empty()) newest_ = ids.front();
  }

  asio::awaitable<SecretReport> run() {
    widths_ = co_await secret_widths(connection_);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor);
    for (int pass = 1; pass <= change_.passes_max; ++pass) {
      co_await walk();
      const bool is_over = report_.busy == 0 || report_.held_off || report_.interrupted;
      if (is_over || pass == change_.passes_max) break;
      pause.expires_after(pause_between_passes);
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return std::move(report_);
  }

 private:
  // Counted anew in each pass.
  void begin_pass() {
    report_.busy = 0;
    report_.left.clear();
    report_.left_count = 0;
    report_.too_narrow.clear();
    rows_ = 0;
  }

  bool is_ended() {
    report_.interrupted = change_.interrupted && change_.interrupted();
    return report_.interrupted || report_.held_off;
  }

  asio::awaitable<void> walk() {
    begin_pass();
    for (const std::vector<std::string>& columns : by_table(change_.columns)) co_await walk_table(columns);
  }

  asio::awaitable<void> walk_table(const std::vector<std::string>& columns) {
    const SecretForm form = change_.kind == Kind::seal ? SecretForm::plain : SecretForm::any_sealed;
    std::optional<std::string> after;
    while (!is_ended()) {
      SecretPage page = co_await select_secrets(connection_, form, columns, after);
      if (!page.last_id) co_return;
      co_await change_page(page);
      after = std::move(page.last_id);
      rows_ += page.rows;
      if (change_.looked_at) change_.looked_at(rows_);
    }
  }

  asio::awaitable<void> change_page(SecretPage& page) {
    std::map<std::string, std::vector<SecretReplacement>> batches;
    for (StoredSecret& secret : page.secrets) {
      std::optional<std::string> changed = changed_value(secret);
      if (!changed) continue;
      std::vector<SecretReplacement>& batch = batches[secret.column];
      batch.push_back({.id = secret.id, .from = std::move(secret.value), .to = std::move(*changed)});
      if (batch.size() < batch_values_max) continue;
      co_await write(secret.column, batch);
      if (is_ended()) co_return;
    }
    for (auto& [column, batch] : batches) {
      if (!batch.empty() && !report_.held_off) co_await write(column, batch);
    }
  }

  // Returns nothing when the value stays unchanged.
  std::optional<std::string> changed_value(const StoredSecret& secret) {
    const std::string place = place_of(secret);
    const bool is_newest =
        crypto::is_wholly_sealed(secret.value) && crypto::key_id_of(secret.value) == newest_;
    if (change_.kind == Kind::reseal && is_newest) return std::nullopt;
    auto opened = change_.keys.open_list(secret.value, place);
    if (!opened && opened.error() == crypto::OpenError::not_sealed)
      return change_.kind == Kind::seal ? sealed(secret, secret.value, place) : std::nullopt;
    if (!opened) {
      leave(secret, std::string(to_string(opened.error())));
      return std::nullopt;
    }
    if (change_.kind == Kind::open) return std::move(*opened);
    std::optional<std::string> anew = sealed(secret, *opened, place);
    crypto::wipe(*opened);
    return anew;
  }

  std::optional<std::string> sealed(const StoredSecret& secret, const std::string& plain,
                                    const std::string& place) {
    const auto width = widths_.find(secret.column);
    const std::size_t length = crypto::sealed_length(plain.size());
    if (width == widths_.end() || length <= width->second) return change_.keys.seal(plain, place);
    SecretReport::TooNarrow& too_narrow = report_.too_narrow[secret.column];
    ++too_narrow.values;
    too_narrow.longest = std::max(too_narrow.longest, length);
    leave(secret, "too_narrow");
    return std::nullopt;
  }

  void leave(const StoredSecret& secret, std::string why) {
    ++report_.left_count;
    if (report_.left.size() < SecretReport::left_listed_max)
      report_.left.push_back({.id = secret.id, .column = secret.column, .why = std::move(why)});
  }

  asio::awaitable<void> write(const std::string& column, std::vector<SecretReplacement>& batch) {
    Replaced replaced{.count = batch.size()};
    if (!change_.is_preview) replaced = co_await replace_secrets(connection_, column, batch);
    if (replaced.count > 0) report_.changed[column] += replaced.count;
    report_.held_off = report_.held_off || replaced.is_held_off;
    report_.busy += batch.size() - replaced.count;
    for (SecretReplacement& replacement : batch) {
      crypto::wipe(replacement.from);
      crypto::wipe(replacement.to);
    }
    batch.clear();
  }

  pg::Connection& connection_;
  const SecretChange& change_;
  std::string newest_;
  std::map<std::string, std::size_t> widths_;
  SecretReport report_;
  std::uint64_t rows_ = 0;
};

}  // namespace

asio::awaitable<SecretReport> change_secrets(pg::Connection& connection, const SecretChange& change) {
  Walk walk(connection, change);
  SecretReport report = co_await walk.run();
  co_return report;
}

}  // namespace socialsync::store
