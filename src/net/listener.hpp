#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace socialsync::net {

// A listening socket with SO_REUSEADDR. Port 0 takes any free one. Throws boost::system::system_error when
// the address is taken or not ours.
boost::asio::ip::tcp::acceptor listen(const boost::asio::any_io_executor& executor,
                                      const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace socialsync::net
