#pragma once

#include <cstddef>

namespace socialsync::net {

// Raises the soft limit of open files and sockets to the hard limit, because the usual 1024 is less than a
// server's connections. Returns the resulting limit, which is unchanged if the system refuses.
std::size_t raise_descriptor_limit();

}  // namespace socialsync::net
