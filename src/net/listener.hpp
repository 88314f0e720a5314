#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace socialsync::net {

// Opens a listening socket with SO_REUSEADDR. Port 0 selects a free port. Throws boost::system::system_error
// if the address is in use or not local.
boost::asio::ip::tcp::acceptor listen(const boost::asio::any_io_executor& executor,
                                      const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace socialsync::net
