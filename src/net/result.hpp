// The one completion token of this program: an error code is a value, not an exception.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace socialsync::net {

namespace asio = boost::asio;

// auto [error, count] = co_await socket.async_read_some(buffer, net::as_result);
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace socialsync::net
