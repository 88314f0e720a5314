#include "operate/endpoints.hpp"

#include <random>
#include <utility>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "deliver/answer.hpp"
#include "deliver/handshake.hpp"
#include "operate/accounts.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

constexpr std::size_t short_id_size = 8;
constexpr std::size_t shown_characters_max = 200;

[[noreturn]] void refuse_removed() { throw Failure(Exit::not_found, "the endpoint was removed"); }

std::string encrypted(const std::string& plaintext, const Uuid& endpoint, const char* column,
                      const crypto::SecretKeys& keys) {
  return keys.seal(plaintext, crypto::endpoint_place(to_string(endpoint), column));
}

// Fresh secrets, encrypted for that endpoint; empty without a key: the database makes plaintext ones.
asio::awaitable<store::EndpointSecrets> fresh_secrets(pg::Connection& connection, Uuid endpoint,
                                                      const crypto::SecretKeys& keys) {
  if (keys.empty()) co_return store::EndpointSecrets{};
  store::EndpointSecrets secrets = co_await store::new_endpoint_secrets(connection);
  secrets.app_secret = encrypted(secrets.app_secret, endpoint, "app_secret", keys);
  secrets.signing_secret = encrypted(secrets.signing_secret, endpoint, "signing_secret", keys);
  co_return secrets;
}

void encrypt(store::EndpointChange& change, const Uuid& endpoint, const crypto::SecretKeys& keys) {
  if (change.app_secret && !keys.empty())
    change.app_secret = encrypted(*change.app_secret, endpoint, "app_secret", keys);
}

asio::awaitable<void> add_secrets(pg::Connection& connection, store::EndpointChange& values,
                                  const crypto::SecretKeys& keys) {
  if (keys.empty()) co_return;
  values.id = co_await store::new_endpoint_id(connection);
  encrypt(values, *values.id, keys);
  store::EndpointSecrets secrets = co_await fresh_secrets(connection, *values.id, keys);
  values.signing_secret = std::move(secrets.signing_secret);
  if (!values.app_secret) values.app_secret = std::move(secrets.app_secret);
}

asio::awaitable<Uuid> insert(pg::Connection& connection, const std::optional<Uuid>& account,
                             const store::EndpointChange& values) {
  const bool is_pulled = values.url && !*values.url;
  const store::FreePlace where = co_await store::find_free_place(connection, account, is_pulled);
  if (!where.place)
    throw Failure(Exit::data_blocks, "all ten places are taken: socialsync endpoints remove frees one");
  std::optional<Uuid> id;
  try {
    id = co_await store::add_endpoint(connection, account, where, values);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::unique_violation) throw;
  }
  if (!id)
    throw Failure(Exit::data_blocks, "another session took the place or removed the account: run this again");
  co_return *id;
}

void hide(std::string& text, const std::string& secret) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1))
    text.replace(at, secret.size(), "*");
}

// Receivers quote the request, so the token is hidden in their answer.
std::string shown_answer(std::string answer, const std::string& verify_token) {
  hide(answer, verify_token);
  hide(answer, deliver::percent_encoded(verify_token));
  return printable(first_characters(answer, shown_characters_max));
}

std::string handshake_hint(int status) {
  if (status == 200) return "Meta expects the challenge alone: no quotes, no line end, no page around it";
  if (status == 401 || status == 403) return "is this the receiver's verify token?";
  if (status == 404 || status == 405) return "the receiver has no handshake at this path: check the URL";
  return std::string(deliver::advice_on("http_status", status));
}

std::uint64_t random_number() {
  std::random_device entropy;
  return std::uint64_t{entropy()} << 32U | entropy();
}

}  // namespace

std::string short_id(const Uuid& id) { return to_string(id).substr(0, short_id_size); }

std::string endpoint_name_fault(const std::string& name) {
  const bool is_hex = name.find_first_not_of("0123456789abcdef-") == std::string::npos;
  const bool is_valid = is_hex && name.size() >= short_id_size && name.size() <= to_string(Uuid()).size();
  return is_valid ? "" : "ENDPOINT must be an id, or at least its first 8 digits";
}

asio::awaitable<store::EndpointRecord> find_endpoint(pg::Connection& connection, std::string name) {
  const store::EndpointFilter filter{.id_begins = name};
  std::vector<store::EndpointRecord> found = co_await store::find_endpoints(connection, filter);
  if (found.empty())
    throw Failure(Exit::not_found,
                  fmt::format("endpoint {} not found; list them: socialsync endpoints list", name));
  if (found.size() > 1) {
    std::string message = fmt::format("{} begins several ids, give more of it:", name);
    for (const store::EndpointRecord& endpoint : found) message += "\n  " + to_string(endpoint.id);
    throw Failure(Exit::not_found, message);
  }
  co_return std::move(found.front());
}

asio::awaitable<std::vector<store::EndpointRecord>> choose_endpoints(pg::Connection& connection,
                                                                     const EndpointChoice& choice) {
  std::vector<store::EndpointRecord> found;
  if (choice.account.empty()) {
    store::EndpointRecord endpoint = co_await find_endpoint(connection, choice.endpoint);
    found.push_back(std::move(endpoint));
    co_return found;
  }
  const store::AccountRecord account = co_await find_account(connection, choice.account);
  const store::EndpointFilter filter{.account = account.id};
  found = co_await store::find_endpoints(connection, filter);
  if (found.empty())
    throw Failure(Exit::not_found,
                  fmt::format("account {0} has no endpoint, its events stay in webhook_logs; "
                              "add one: socialsync endpoints add --account {0} --url …",
                              choice.account));
  co_return found;
}

std::string state_of(const store::EndpointRecord& endpoint) {
  if (!endpoint.is_enabled)
    return endpoint.disabled_because.empty()
               ? "disabled"
               : fmt::format("disabled ({})", printable(endpoint.disabled_because));
  if (!endpoint.failing_since.empty()) return "failing since " + endpoint.failing_since;
  return endpoint.url.empty() ? "pull" : "ok";
}

asio::awaitable<AddedEndpoint> add_endpoint(pg::Connection& connection, const std::optional<Uuid>& account,
                                            store::EndpointChange values, const crypto::SecretKeys& keys) {
  const bool is_secret_given = values.app_secret.has_value();
  co_await add_secrets(connection, values, keys);
  const Uuid id = co_await insert(connection, account, values);
  AddedEndpoint added;
  added.endpoint = co_await find_endpoint(connection, to_string(id));
  added.secrets = co_await store::read_endpoint_secrets(connection, id, keys);
  if (is_secret_given) added.secrets.app_secret.clear();
  co_return added;
}

asio::awaitable<store::EndpointRecord> change_endpoint(pg::Connection& connection, const Uuid& id,
                                                       store::EndpointChange change,
                                                       const crypto::SecretKeys& keys) {
  encrypt(change, id, keys);
  const bool is_changed = co_await store::change_endpoint(connection, id, change);
  if (!is_changed) refuse_removed();
  co_return co_await find_endpoint(connection, to_string(id));
}

asio::awaitable<AddedEndpoint> rotate_secret(pg::Connection& connection, const Uuid& id,
                                             const store::Rotation& rotation, bool is_app_secret,
                                             const crypto::SecretKeys& keys) {
  store::EndpointSecrets fresh = co_await fresh_secrets(connection, id, keys);
  bool is_changed = false;
  if (is_app_secret)
    is_changed = co_await store::rotate_app_secret(connection, id, std::move(fresh.app_secret));
  else
    is_changed =
        co_await store::rotate_signing_secret(connection, id, rotation, std::move(fresh.signing_secret));
  AddedEndpoint rotated;
  rotated.endpoint = co_await find_endpoint(connection, to_string(id));
  if (!is_changed)
    throw Failure(
        Exit::data_blocks,
        fmt::format("the secret before the present one signs until {}, and two sign at most: rotate after "
                    "that, or with --end-previous where the receiver already has the present one",
                    rotated.endpoint.previous_signing_secret_until));
  rotated.secrets = co_await store::read_endpoint_secrets(connection, id, keys);
  (is_app_secret ? rotated.secrets.signing_secret : rotated.secrets.app_secret).clear();
  co_return rotated;
}

std::string handshake_fault(const deliver::Reply& reply, const std::string& verify_token) {
  std::string answer, hint;
  if (reply.error != deliver::SendError::none) {
    answer =
        fmt::format("no answer: {}, {}", to_string(reply.error), shown_answer(reply.detail, verify_token));
    hint = deliver::advice_on(to_string(reply.error), 0);
  } else {
    answer =
        fmt::format("it answered {} with '{}'{}", reply.status, shown_answer(reply.body_head, verify_token),
                    reply.status == 200 ? " instead of the challenge" : "");
    hint = handshake_hint(reply.status);
  }
  return fmt::format(
      "the receiver did not pass Meta's handshake, nothing was changed: {}; {}\n"
      "--skip-handshake accepts the URL without it",
      answer, hint);
}

asio::awaitable<void> shake_hands(deliver::Sender& sender, std::string url, std::string verify_token,
                                  std::vector<std::pair<std::string, std::string>> headers) {
  const std::string challenge = deliver::make_challenge(random_number());
  deliver::Request request = deliver::handshake_request(url, verify_token, challenge, std::move(headers));
  const deliver::Reply reply = co_await sender.send(std::move(request));
  if (deliver::has_passed(reply, challenge)) co_return;
  throw Failure(Exit::not_answered, handshake_fault(reply, verify_token), "handshake_failed");
}

}  // namespace socialsync::operate
