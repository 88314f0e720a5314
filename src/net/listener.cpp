#include "net/listener.hpp"

#include <sys/resource.h>

namespace socialsync::net {
namespace {

// The queue of connections to accept. The kernel limits it to net.core.somaxconn.
constexpr int backlog = 4096;

}  // namespace

boost::asio::ip::tcp::acceptor listen(const boost::asio::any_io_executor& executor,
                                      const boost::asio::ip::tcp::endpoint& endpoint) {
  boost::asio::ip::tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(boost::asio::socket_base::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(backlog);
  return acceptor;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace socialsync::net
