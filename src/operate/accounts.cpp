#include "operate/accounts.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "model/secret_columns.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

// PostgreSQL's message for a duplicate key names the index, and quotes the value, which may be a secret.
std::string refusal(const pg::Error& error) {
  if (error.sqlstate() != pg::sqlstate::unique_violation) return error.what();
  const std::string columns = error.detail().substr(0, error.detail().find(")=("));
  for (const model::SecretColumn& secret : model::secret_columns) {
    if (columns.find(secret.column) != std::string::npos)
      return fmt::format("another account has that {} already", secret.column);
  }
  return fmt::format("another account has that already: {}", error.detail());
}

}  // namespace

asio::awaitable<store::AccountRecord> find_account(pg::Connection& connection, std::string name) {
  const store::AccountFilter filter{.name = name, .platform = {}, .user = {}, .is_active = std::nullopt};
  std::vector<store::AccountRecord> found = co_await store::find_accounts(connection, filter);
  if (found.empty())
    throw Failure(Exit::not_found,
                  fmt::format("account {} not found; list them: socialsync accounts list", name));
  if (found.size() > 1) {
    std::string message = fmt::format("{} matches several accounts; name one by its id:", name);
    for (const store::AccountRecord& account : found) message += "\n  " + described(account);
    throw Failure(Exit::not_found, message);
  }
  co_return std::move(found.front());
}

std::string described(const store::AccountRecord& account) {
  return fmt::format("{}  {} {}  {}", to_string(account.id), account.platform, account.key(),
                     account.business_name.empty() ? account.username : account.business_name);
}

asio::awaitable<Owners> owners_of(pg::Connection& connection, std::set<std::string> names, bool make) {
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
  return fmt::format("user {} not found{}", name,
                     name.find('@') == std::string::npos ? "" : "; --create-user creates it");
}

asio::awaitable<std::size_t> save_accounts(pg::Connection& connection, std::vector<store::NewUser> users,
                                           std::vector<store::AccountWrite> writes) {
  try {
    const std::size_t written = co_await store::write_accounts(connection, users, writes);
    co_return written;
  } catch (const pg::Error& error) {
    if (error.kind() != pg::ErrorKind::data) throw;
    throw Failure(Exit::data_blocks, refusal(error));
  }
}

}  // namespace socialsync::operate
