#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/exit_code.hpp"
#include "cli/secrets.hpp"
#include "cli/text/terminal.hpp"
#include "crypto/secret_box.hpp"
#include "store/secrets.hpp"

namespace socialsync::cli::secrets {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

using Counts = std::map<std::string, std::uint64_t>;

struct ColumnStatus {
  std::uint64_t plain = 0;
  Counts sealed;       // by key id, those that can be read
  Counts unknown_key;  // by key id
  std::uint64_t tampered = 0;
};

std::uint64_t sum(const Counts& counts) {
  std::uint64_t all = 0;
  for (const auto& [key, count] : counts) all += count;
  return all;
}

using Status = std::map<std::string, ColumnStatus>;

void count(const store::StoredSecret& secret, const crypto::SecretKeys& keys, ColumnStatus& column) {
  const std::string key_id(crypto::key_id_of(secret.value));
  auto opened = keys.open(secret.value, store::place_of(secret));
  if (opened) {
    ++column.sealed[key_id];
    crypto::wipe(*opened);
  } else if (opened.error() == crypto::OpenError::unknown_key) {
    ++column.unknown_key[key_id];
  } else {
    ++column.tampered;
  }
}

asio::awaitable<Status> look(pg::Connection& connection, const crypto::SecretKeys& keys,
                             ProgressLine& progress) {
  Status status;
  const Counts plain = co_await store::count_plain_secrets(connection);
  const std::vector<std::string> names = column_names();
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
      progress.show({.what = "looking", .done = rows, .unit = "accounts and endpoints"});
    } while (after);
  }
  co_return status;
}

json::object as_object(const Counts& counts) {
  json::object object;
  for (const auto& [key, count] : counts) object[key] = count;
  return object;
}

void print_json(const Status& status, const std::vector<std::string>& keys) {
  json::object columns;
  for (const std::string& name : column_names()) {
    const ColumnStatus& column = status.at(name);
    columns[name] = {{"plain", column.plain},
                     {"sealed", as_object(column.sealed)},
                     {"unknown_key", as_object(column.unknown_key)},
                     {"tampered", column.tampered}};
  }
  json::array ids;
  for (const std::string& id : keys) ids.emplace_back(id);
  const json::object document{{"v", 1}, {"keys", std::move(ids)}, {"columns", std::move(columns)}};
  fmt::print("{}\n", json::serialize(document));
}

Counts added_up(const Status& status, Counts ColumnStatus::* by_key) {
  Counts all;
  for (const auto& [name, column] : status) {
    for (const auto& [key, count] : column.*by_key) all[key] += count;
  }
  return all;
}

void print_text(const Status& status, const std::vector<std::string>& keys) {
  fmt::print("{:<34}{:>12}{:>12}{:>14}\n", "column", "plain", "sealed", "unreadable");
  for (const std::string& name : column_names()) {
    const ColumnStatus& column = status.at(name);
    fmt::print("{:<34}{:>12}{:>12}{:>14}\n", name, readable_count(column.plain),
               readable_count(sum(column.sealed)), readable_count(sum(column.unknown_key) + column.tampered));
  }
  for (const auto& [key, count] : added_up(status, &ColumnStatus::sealed))
    fmt::print("under key {}{}: {}\n", key, key == keys.front() ? " (the first)" : "", readable_count(count));
  for (const auto& [key, count] : added_up(status, &ColumnStatus::unknown_key))
    fmt::print("{} under key {}, which is not one of SOCIALSYNC_SECRETS_KEY\n",
               coloured(Colour::red, readable_count(count)), key);
  std::uint64_t tampered = 0;
  for (const auto& [name, column] : status) tampered += column.tampered;
  if (tampered > 0)
    fmt::print("{} changed, or copied from another row or column: write them anew\n",
               coloured(Colour::red, readable_count(tampered)));
}

int print_status(const std::string& output) {
  const config::Config config = settings();
  Status status;
  ProgressLine progress;
  with_secrets(config, column_names(), false, [&](pg::Connection& connection) -> asio::awaitable<void> {
    status = co_await look(connection, config.secrets.keys, progress);
  });
  progress.clear();
  output == "json" ? print_json(status, config.secrets.keys.ids())
                   : print_text(status, config.secrets.keys.ids());
  for (const auto& [name, column] : status) {
    if (column.tampered + sum(column.unknown_key) > 0) return ExitCode::left_over;
  }
  return ExitCode::done;
}

}  // namespace

void add_status(Command secrets) {
  Command command = secrets.add_subcommand("status", "How many values are plain, sealed and unreadable");
  command.footer(
      "Example:  socialsync secrets status --output json\n"
      "Exit codes: 0 done · 1 internal error · 2 a setting is wrong · 3 the database is not migrated, or a "
      "right "
      "is missing · 5 some values cannot be read");
  const auto output = std::make_shared<std::string>("text");
  add_output(command, *output);
  command.runs([output] { return guarded([&] { return print_status(*output); }); });
}

}  // namespace socialsync::cli::secrets
