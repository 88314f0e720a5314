#pragma once

#include <cstddef>

namespace socialsync::net {

// Lets this process have as many files and sockets open as its hard limit allows; the usual soft limit, 1024,
// is less than a server's connections. Gives how many that is now. What the system refuses stays as it was.
std::size_t raise_descriptor_limit();

}  // namespace socialsync::net
