#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "config/config.hpp"
#include "pg/connection.hpp"

namespace socialsync::cli {

// Opens the configured database, does the work, and returns what it returns. Throws what they throw.
bool with_database(const config::Config& config,
                   const std::function<boost::asio::awaitable<bool>(pg::Connection& connection)>& work);

}  // namespace socialsync::cli
