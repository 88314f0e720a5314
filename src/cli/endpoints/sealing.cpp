#include "cli/endpoints/sealing.hpp"

#include <utility>

#include <boost/json.hpp>

namespace socialsync::cli::endpoints {
namespace {

std::string sealed(const std::string& plain, const Uuid& endpoint, const char* column,
                   const crypto::SecretKeys& keys) {
  return keys.seal(plain, crypto::endpoint_place(to_string(endpoint), column));
}

}  // namespace

boost::asio::awaitable<store::EndpointSecrets> new_sealed_secrets(pg::Connection& connection, Uuid endpoint,
                                                                  const crypto::SecretKeys& keys) {
  if (keys.empty()) co_return store::EndpointSecrets{};
  store::EndpointSecrets secrets = co_await store::new_endpoint_secrets(connection);
  secrets.app_secret = sealed(secrets.app_secret, endpoint, "app_secret", keys);
  secrets.signing_secret = sealed(secrets.signing_secret, endpoint, "signing_secret", keys);
  co_return secrets;
}

std::string sealed_values(std::string values, const Uuid& endpoint, const crypto::SecretKeys& keys) {
  if (keys.empty()) return values;
  boost::json::object parsed = boost::json::parse(values).as_object();
  const auto secret = parsed.find("app_secret");
  if (secret == parsed.end()) return values;
  secret->value() = sealed(std::string(secret->value().as_string()), endpoint, "app_secret", keys);
  return boost::json::serialize(parsed);
}

boost::asio::awaitable<std::string> new_sealed_values(pg::Connection& connection, std::string values,
                                                      const crypto::SecretKeys& keys) {
  if (keys.empty()) co_return values;
  const Uuid id = co_await store::new_endpoint_id(connection);
  const store::EndpointSecrets secrets = co_await new_sealed_secrets(connection, id, keys);
  values = sealed_values(std::move(values), id, keys);
  boost::json::object parsed = boost::json::parse(values).as_object();
  parsed["id"] = to_string(id);
  parsed["signing_secret"] = secrets.signing_secret;
  parsed.emplace("app_secret", secrets.app_secret);
  co_return boost::json::serialize(parsed);
}

}  // namespace socialsync::cli::endpoints
