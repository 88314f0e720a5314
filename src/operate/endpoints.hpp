// Endpoints by the names that operators use; adding, changing and rotating the secrets of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "deliver/wire/exchange.hpp"
#include "deliver/wire/sender.hpp"
#include "pg/connection.hpp"
#include "store/endpoint_admin.hpp"

namespace socialsync::operate {

// The first eight digits of an id, which name an endpoint.
std::string short_id(const Uuid& id);

// Why `name` cannot begin an endpoint's id; empty when it can.
std::string endpoint_name_fault(const std::string& name);

// Returns the endpoint whose id begins with `name`. Throws Failure (not_found) when none or several do, and
// pg::Error, as all functions here do.
boost::asio::awaitable<store::EndpointRecord> find_endpoint(pg::Connection& connection, std::string name);

// One endpoint, or all of an account: one of the two is set.
struct EndpointChoice {
  std::string endpoint{};  // the beginning of an id
  std::string account{};   // a name, as for operate::find_account()
};
// Returns at least one endpoint, by place. Throws Failure (not_found).
boost::asio::awaitable<std::vector<store::EndpointRecord>> choose_endpoints(pg::Connection& connection,
                                                                            const EndpointChoice& choice);

// "ok", "failing since …", "disabled (…)" or "pull"; fit for a terminal.
std::string state_of(const store::EndpointRecord& endpoint);

struct AddedEndpoint {
  store::EndpointRecord endpoint;
  store::EndpointSecrets secrets;  // plaintext; an app secret that was given is empty
};
// Adds an endpoint of the account (nothing: of the operator); its secrets are made where `values` has none,
// and encrypted where there is a key. Throws Failure (data_blocks) when all places are taken.
boost::asio::awaitable<AddedEndpoint> add_endpoint(pg::Connection& connection,
                                                   const std::optional<Uuid>& account,
                                                   store::EndpointChange values,
                                                   const crypto::SecretKeys& keys);

// Changes an endpoint, and returns it as it is then. Throws Failure (data_blocks) when it was removed.
boost::asio::awaitable<store::EndpointRecord> change_endpoint(pg::Connection& connection, const Uuid& id,
                                                              store::EndpointChange change,
                                                              const crypto::SecretKeys& keys);

// Rotates the signing secret, or with `is_app_secret` replaces the app secret; the other one is empty in the
// result. Throws Failure (data_blocks) while two signing secrets are valid.
boost::asio::awaitable<AddedEndpoint> rotate_secret(pg::Connection& connection, const Uuid& id,
                                                    const store::Rotation& rotation, bool is_app_secret,
                                                    const crypto::SecretKeys& keys);

// Makes Meta's handshake with a URL, with the headers of deliveries. Throws Failure (not_answered) that says
// what the receiver answered and what to do, without the token.
boost::asio::awaitable<void> shake_hands(deliver::Sender& sender, std::string url, std::string verify_token,
                                         std::vector<std::pair<std::string, std::string>> headers);

// The message for an answer that does not pass the handshake. Pure.
std::string handshake_fault(const deliver::Reply& reply, const std::string& verify_token);

}  // namespace socialsync::operate
