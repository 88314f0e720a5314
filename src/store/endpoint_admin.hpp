// webhook_endpoints for operators.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"
#include "store/columns.hpp"

namespace socialsync::store {

// An endpoint without its secrets and the values of its headers. A text is empty where its column is NULL.
struct EndpointRecord {
  Uuid id{};
  std::string account_id{};    // empty: an endpoint of the operator
  std::string account_name{};  // business name, else user name
  std::string account_key{};   // the account's id at Meta
  std::string platform{};      // the account's label
  std::uint64_t place = 0;
  std::string url{};  // empty: events are pulled
  std::string description{};
  std::string format{};
  std::vector<std::string> header_names{};
  std::optional<std::vector<std::string>> webhook_events{};  // nothing: all
  bool is_enabled = true;
  std::string disabled_because{};
  std::string failing_since{};  // ISO 8601, UTC, as all times here
  bool is_ordered = false;
  std::uint64_t concurrent_max = 0;
  std::optional<std::uint64_t> per_second_max{};
  std::string previous_signing_secret_until{};  // empty: only the present secret signs
  std::string created_at{};
  std::uint64_t pending = 0;
  std::uint64_t dead_lettered = 0;
};

// The columns of EndpointRecord, in the order in which they are shown.
std::span<const Column<EndpointRecord>> endpoint_columns();

struct EndpointFilter {
  std::string id_begins{};  // empty: any
  std::optional<Uuid> account{};
  bool is_failing = false;   // failing endpoints only
  bool is_disabled = false;  // disabled endpoints only
};

// Returns endpoints by account and place, the operator's first. Throws pg::Error, as all functions here do.
boost::asio::awaitable<std::vector<EndpointRecord>> find_endpoints(pg::Connection& connection,
                                                                   const EndpointFilter& filter);

// The place of a new endpoint.
struct FreePlace {
  std::optional<std::uint64_t> place;  // nothing: all places are taken
  bool is_webhook_url = false;         // the endpoint is made by setting the account's webhook_url
};
// Finds a place for an endpoint of the account (nothing: of the operator). A pulled endpoint has no URL, so
// it cannot be the account's webhook_url.
boost::asio::awaitable<FreePlace> find_free_place(pg::Connection& connection,
                                                  const std::optional<Uuid>& account, bool is_pulled);

// A column that can be NULL: nothing leaves it as it is, an empty inner value makes it NULL.
template <class T>
using Nullable = std::optional<std::optional<T>>;

// New values of an endpoint's columns; a member without a value leaves its column as it is.
struct EndpointChange {
  std::optional<Uuid> id{};  // of a new endpoint, where its secrets are encrypted for it
  Nullable<std::string> url{};
  Nullable<std::vector<std::string>> webhook_events{};
  std::optional<std::string> format{};
  Nullable<std::vector<std::pair<std::string, std::string>>> headers{};
  std::optional<bool> is_ordered{};
  std::optional<std::uint64_t> concurrent_max{};
  Nullable<std::uint64_t> per_second_max{};
  Nullable<std::string> description{};
  std::optional<std::string> app_secret{};  // encrypted where a key is configured, as is signing_secret
  std::optional<std::string> signing_secret{};
  std::optional<bool> is_enabled{};               // true also ends a failing state
  std::optional<std::string> disabled_because{};  // with is_enabled only

  // The names of the columns that have a value here, without id and signing_secret.
  std::vector<std::string> names() const;
};

// Inserts an endpoint at that place and returns its id; nothing when the account is gone or has got a
// webhook_url since.
boost::asio::awaitable<std::optional<Uuid>> add_endpoint(pg::Connection& connection,
                                                         const std::optional<Uuid>& account, FreePlace where,
                                                         const EndpointChange& values);

// Changes an endpoint. The URL of place 0 is changed in the account. False when the endpoint does not exist.
boost::asio::awaitable<bool> change_endpoint(pg::Connection& connection, const Uuid& id,
                                             const EndpointChange& change);

struct EndpointSecrets {
  std::string app_secret{};
  std::string signing_secret{};
};
// Return an unused id, and fresh plaintext secrets.
boost::asio::awaitable<Uuid> new_endpoint_id(pg::Connection& connection);
boost::asio::awaitable<EndpointSecrets> new_endpoint_secrets(pg::Connection& connection);

struct Rotation {
  std::uint64_t grace_s = 0;   // the old secret signs for that long
  bool ends_previous = false;  // also while the secret before the present one signs: two sign at most
};
// Replaces the signing secret; with an empty `secret` the database makes a plaintext one. False when the
// endpoint does not exist, or the secret before the present one still signs and is not to end.
boost::asio::awaitable<bool> rotate_signing_secret(pg::Connection& connection, const Uuid& id,
                                                   const Rotation& rotation, std::string secret);
// Replaces the secret of X-Hub-Signature-256 at once. False when the endpoint does not exist.
boost::asio::awaitable<bool> rotate_app_secret(pg::Connection& connection, const Uuid& id,
                                               std::string secret);

// Returns the decrypted secrets; empty where a secret cannot be decrypted.
boost::asio::awaitable<EndpointSecrets> read_endpoint_secrets(pg::Connection& connection, const Uuid& id,
                                                              const crypto::SecretKeys& keys);

// Deletes the endpoint and its deliveries; for place 0 also clears the account's webhook_url. False when it
// does not exist.
boost::asio::awaitable<bool> remove_endpoint(pg::Connection& connection, const Uuid& id);

}  // namespace socialsync::store
