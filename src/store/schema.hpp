// The state of the database's schema, and its maintenance.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"

namespace socialsync::store {

// Prepares a connection that writes: its commits are durable whatever the server's default, and PostgreSQL
// cancels the statement of a client that has died. Throws pg::Error.
boost::asio::awaitable<void> prepare_session(
    pg::Connection& connection, std::optional<std::chrono::milliseconds> lock_timeout = std::nullopt);

// Plans for a session, instead of the generic ones of prepare_session(), which is called before. Throw
// pg::Error.
// By values: each statement is planned for its values, so that an absent filter costs nothing.
boost::asio::awaitable<void> plan_by_values(pg::Connection& connection);
// By keys: plans use the indexes even when they are made, and kept, while the tables are small.
boost::asio::awaitable<void> plan_by_keys(pg::Connection& connection);

// True when the database is migrated: the objects that ingest writes to exist, and row-level security
// separates tenants. Throws pg::Error.
boost::asio::awaitable<bool> is_migrated(pg::Connection& connection);

// True when the server is a primary that accepts writes. Throws pg::Error.
boost::asio::awaitable<bool> is_writable(pg::Connection& connection);

// True when this connection's role is a superuser. Throws pg::Error.
boost::asio::awaitable<bool> is_superuser(pg::Connection& connection);

// Creates the coming weeks' partitions of webhook_logs, and drops those older than `retention_days`. Returns
// one line for each change: "created webhook_logs_p20261123". Throws pg::Error.
boost::asio::awaitable<std::vector<std::string>> maintain_partitions(pg::Connection& connection,
                                                                     std::optional<int> retention_days);

}  // namespace socialsync::store
