#pragma once

#include <cstddef>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace socialsync::net {

// Opens a listening socket with SO_REUSEADDR. Port 0 selects a free port. Throws boost::system::system_error
// if the address is in use or not local.
boost::asio::ip::tcp::acceptor listen(const boost::asio::any_io_executor& executor,
                                      const boost::asio::ip::tcp::endpoint& endpoint);

// Raises the soft limit of open files and sockets to the hard limit, because the usual 1024 is less than a
// server's connections. Returns the resulting limit, which is unchanged if the system refuses.
std::size_t raise_descriptor_limit();

}  // namespace socialsync::net
