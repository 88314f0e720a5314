// Secrets of endpoints, sealed before they are written, where there is a key.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"
#include "store/endpoint_admin.hpp"

namespace socialsync::cli::endpoints {

// New secrets, sealed for that endpoint. Without a key none: the database makes plain ones.
boost::asio::awaitable<store::EndpointSecrets> new_sealed_secrets(pg::Connection& connection, Uuid endpoint,
                                                                  const crypto::SecretKeys& keys);

// values_of() a draft with what is secret in it sealed for that endpoint; without a key as they are.
std::string sealed_values(std::string values, const Uuid& endpoint, const crypto::SecretKeys& keys);

// The same of a new endpoint: with an id, and secrets where the draft has none.
boost::asio::awaitable<std::string> new_sealed_values(pg::Connection& connection, std::string values,
                                                      const crypto::SecretKeys& keys);

}  // namespace socialsync::cli::endpoints
