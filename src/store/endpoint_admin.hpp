// webhook_endpoints, as an operator lists and changes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// An endpoint as text; empty where a column is NULL. No secret is in it, nor the value of a header.
struct EndpointRecord {
  Uuid id;
  std::string account_id;    // empty: the operator's own
  std::string account_name;  // the business's, else the user's name
  std::string account_key;   // what Meta names the account by
  std::string platform;      // the account's label
  std::uint64_t place = 0;
  std::string url;  // empty: its events are pulled
  std::string description;
  std::string format;
  std::vector<std::string> header_names{};
  std::optional<std::string> webhook_events;  // with commas between; nothing: all
  bool is_enabled = true;
  std::string disabled_because;
  std::string failing_since;  // ISO 8601, UTC, as all times here
  bool is_ordered = false;
  std::uint64_t concurrent_max = 0;
  std::optional<std::uint64_t> per_second_max;
  std::string previous_signing_secret_until;  // empty: there is none that is still good
  std::string created_at;
  std::uint64_t pending = 0;
  std::uint64_t given_up = 0;
};

struct EndpointFilter {
  std::string id_begins{};  // empty: any
  std::optional<Uuid> account{};
  bool is_failing = false;   // only these
  bool is_disabled = false;  // only these
};

// By account, then place; the operator's own first. Throws pg::Error, as all of these do.
boost::asio::awaitable<std::vector<EndpointRecord>> find_endpoints(pg::Connection& connection,
                                                                   const EndpointFilter& filter);

// Where a new endpoint of the account (nothing: of the operator) would go. `is_pulled`: it has no URL, so it
// cannot be the account's webhook_url.
struct FreePlace {
  std::optional<std::uint64_t> place;  // nothing: none is free
  bool is_webhook_url = false;         // it is made by setting the account's webhook_url
};
boost::asio::awaitable<FreePlace> find_free_place(pg::Connection& connection,
                                                  const std::optional<Uuid>& account, bool is_pulled);

// Makes an endpoint there and gives its id; nothing when the account is gone, or has a webhook_url meanwhile.
// `values` is a JSON object whose names are columns of webhook_endpoints; lists are arrays. Secrets in it are
// sealed already, for the `id` in it.
boost::asio::awaitable<std::optional<Uuid>> add_endpoint(pg::Connection& connection,
                                                         const std::optional<Uuid>& account, FreePlace where,
                                                         std::string values);

// Changes the columns that `values` names; null takes a value away. The URL of place 0 is changed where it
// comes from, the account. False when there is no such endpoint any more.
boost::asio::awaitable<bool> change_endpoint(pg::Connection& connection, const Uuid& id, std::string values);

struct EndpointSecrets {
  std::string app_secret;
  std::string signing_secret;
};
// An id, and secrets, that nobody has.
boost::asio::awaitable<Uuid> new_endpoint_id(pg::Connection& connection);
boost::asio::awaitable<EndpointSecrets> new_endpoint_secrets(pg::Connection& connection);

struct Rotation {
  std::uint64_t grace_s = 0;   // how long the old secret stays good
  bool ends_previous = false;  // also where the one before it still signs: there is room for one
};
// A new signing secret, sealed already; empty: the database makes a plain one. False when the endpoint is not
// there, or the secret before the old one still signs, and is not to end.
boost::asio::awaitable<bool> rotate_signing_secret(pg::Connection& connection, const Uuid& id,
                                                   const Rotation& rotation, std::string secret);
// The same for X-Hub-Signature-256, at once.
boost::asio::awaitable<bool> rotate_app_secret(pg::Connection& connection, const Uuid& id,
                                               std::string secret);

// Opened; empty where it cannot be.
boost::asio::awaitable<EndpointSecrets> read_endpoint_secrets(pg::Connection& connection, const Uuid& id,
                                                              const crypto::SecretKeys& keys);

// Removes it with its deliveries; of place 0 the account's webhook_url too. False when it is not there.
boost::asio::awaitable<bool> remove_endpoint(pg::Connection& connection, const Uuid& id);

}  // namespace socialsync::store
