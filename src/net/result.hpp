// The one completion token of this program: an error code is a value, not an exception.
#pragma once

#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace socialsync::net {

namespace asio = boost::asio;

// auto [error, count] = co_await socket.async_read_some(buffer, net::as_result);
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// The completion handler of a detached coroutine. An exception in such a coroutine is a bug: run() of the
// executor throws it, so it reaches the program's last handler.
inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace socialsync::net
