#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>

#include "http/handler.hpp"
#include "http/limits.hpp"

namespace socialsync::http {

class Session;

// What the sessions of a server share. Owned by each of them, for they can outlive the server.
struct Connections {
  Handler& handler;
  const Limits limits;
  std::list<Session*> sessions{};  // each enters and leaves by itself
  bool stopping = false;
  std::size_t bodies_bytes = 0;  // of those that are being read or handled, as far as they have arrived

  // The server's only clock: it is cheap to read, and stands still while the server itself does, so that its
  // own delays are not laid at the clients' door.
  std::uint64_t ticks = 0;

  // The first tick by which `timeout` has surely passed. The tick under way counts for nothing.
  std::uint64_t deadline(std::chrono::milliseconds timeout) const {
    return ticks + 2 + static_cast<std::uint64_t>(timeout / limits.tick);
  }
};

}  // namespace socialsync::http
