#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/text/printable.hpp"
#include "model/secret_columns.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::cli::accounts {
namespace {

boost::json::value or_null(const std::string& text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

boost::json::array list_of(const std::string& text) {
  boost::json::array list;
  for (const std::string& entry : split_list(text)) list.emplace_back(entry);
  return list;
}

// PostgreSQL's words for a key that is taken are about its index; they quote the value, which may be a
// secret.
std::string explanation(const pg::Error& error) {
  if (error.sqlstate() != pg::sqlstate::unique_violation) return error.what();
  const std::string columns = error.detail().substr(0, error.detail().find(")=("));
  for (const model::SecretColumn& secret : model::secret_columns) {
    if (columns.find(secret.column) != std::string::npos)
      return fmt::format("another account has that {} already", secret.column);
  }
  return fmt::format("another account has that already: {}", error.detail());
}

}  // namespace

const char* const exit_codes =
    "\nExit codes: 0 done, or answered no · 1 internal error · 2 wrong usage or setting · 3 no database, not "
    "migrated, or no "
    "right to · "
    "4 a row stayed locked, run it again · 9 the data stands in the way: no such account, a key that is "
    "taken";

void add_account_name(Command command, std::string& name, bool is_required) {
  const auto fault = [](const std::string& word) { return std::string(word.empty() ? "is empty" : ""); };
  command.add_option("ACCOUNT", name, "Its id, phone number id, page id, account id or number")
      .required(is_required)
      .check(fault);
}

boost::asio::awaitable<store::AccountRecord> the_account(pg::Connection& connection, std::string name) {
  const store::AccountFilter filter{.name = name, .platform = "", .user = "", .is_active = std::nullopt};
  std::vector<store::AccountRecord> found = co_await store::find_accounts(connection, filter);
  if (found.empty()) throw Failure(Exit::data_blocks, fmt::format("no account {}", name));
  if (found.size() > 1) {
    std::string message = fmt::format("{} is the name of several accounts, say the id:", name);
    for (const store::AccountRecord& account : found) message += "\n  " + described(account);
    throw Failure(Exit::data_blocks, message);
  }
  co_return std::move(found.front());
}

boost::asio::awaitable<std::size_t> write(pg::Connection& connection, std::vector<store::NewUser> users,
                                          std::vector<store::AccountWrite> writes) {
  try {
    const std::size_t written = co_await store::write_accounts(connection, users, writes);
    co_return written;
  } catch (const pg::Error& error) {
    if (error.kind() != pg::ErrorKind::data) throw;
    throw Failure(Exit::data_blocks, explanation(error));
  }
}

boost::asio::awaitable<Owners> owners_of(pg::Connection& connection, std::set<std::string> names, bool make) {
  const std::vector<std::string> asked(names.begin(), names.end());
  Owners owners;
  owners.ids = co_await store::find_users(connection, asked);
  if (!make) co_return owners;
  for (const std::string& name : asked) {
    if (!owners.ids.contains(name) && name.find('@') != std::string::npos)
      owners.made.push_back({.id = {}, .email = name});
  }
  const std::vector<Uuid> ids = co_await store::new_ids(connection, owners.made.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    owners.made[i].id = ids[i];
    owners.ids.emplace(owners.made[i].email, ids[i]);
  }
  co_return owners;
}

std::string no_user(const std::string& name) {
  return fmt::format("no user {}{}", name,
                     name.find('@') == std::string::npos ? "" : " (--create-user makes one)");
}

std::string described(const store::AccountRecord& account) {
  return printable(fmt::format("{}  {} {}  {}", to_string(account.id), account.platform, account.key(),
                               account.business_name.empty() ? account.username : account.business_name));
}

boost::json::object json_of(const store::AccountRecord& account) {
  return {{"id", to_string(account.id)},
          {"user_id", to_string(account.user_id)},
          {"email", or_null(account.email)},
          {"platform", account.platform},
          {"is_active", account.is_active},
          {"account_id", account.account_id},
          {"username", or_null(account.username)},
          {"display_name", or_null(account.display_name)},
          {"business_name", or_null(account.business_name)},
          {"phone_number_id", or_null(account.phone_number_id)},
          {"page_id", or_null(account.page_id)},
          {"display_phone_number", or_null(account.display_phone_number)},
          {"waba_id", or_null(account.waba_id)},
          {"linked_ids", list_of(account.linked_ids)},
          {"webhook_url", or_null(account.webhook_url)},
          {"webhook_status", or_null(account.webhook_status)},
          {"webhook_events", account.webhook_events ? boost::json::value(list_of(*account.webhook_events))
                                                    : boost::json::value(nullptr)},
          {"last_webhook_at", or_null(account.last_webhook_at)},
          {"created_at", or_null(account.created_at)},
          {"has_app_secret", account.has_app_secret},
          {"has_verify_token", account.has_verify_token},
          {"has_access_token", account.has_access_token},
          {"has_refresh_token", account.has_refresh_token}};
}

void print_json(boost::json::object document) {
  boost::json::object versioned{{"v", 1}};
  for (auto& [name, value] : document) versioned[name] = std::move(value);
  fmt::print("{}\n", boost::json::serialize(versioned));
}

}  // namespace socialsync::cli::accounts
