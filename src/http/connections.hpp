#pragma once

#include <chrono>
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

  // The time as of the last tick: asking the clock for each request would cost more than it is worth.
  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();

  // The earliest tick at which `timeout` has surely passed.
  std::chrono::steady_clock::time_point deadline(std::chrono::milliseconds timeout) const {
    return now + limits.tick + timeout;
  }
};

}  // namespace socialsync::http
