// The state of the database's schema, and its upkeep.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"

namespace socialsync::store {

// For every connection that writes: a commit is durable even where the server's default is not, and a client
// that died does not leave its statement running. Throws pg::Error.
boost::asio::awaitable<void> prepare_session(
    pg::Connection& connection, std::optional<std::chrono::milliseconds> lock_timeout = std::nullopt);

// For a session in which a person asks something now and then: what a statement says of "this, or any" is
// planned for the values it has, and not once for all. After prepare_session().
boost::asio::awaitable<void> plan_by_values(pg::Connection& connection);

// Whether the migration has come to its end: the objects that ingest writes to, and what keeps tenants apart.
// Throws pg::Error.
boost::asio::awaitable<bool> is_migrated(pg::Connection& connection);

// Whether a commit would succeed: this is a primary that takes writes. Throws pg::Error.
boost::asio::awaitable<bool> is_writable(pg::Connection& connection);

// Whether the role of this connection is bound by no right at all. Throws pg::Error.
boost::asio::awaitable<bool> is_superuser(pg::Connection& connection);

// Makes the coming weeks' partitions of webhook_logs, and with `retention_days` drops what is older. Returns
// what was done, one line each: "created webhook_logs_p20261123". Throws pg::Error.
boost::asio::awaitable<std::vector<std::string>> maintain_partitions(pg::Connection& connection,
                                                                     std::optional<int> retention_days);

}  // namespace socialsync::store
