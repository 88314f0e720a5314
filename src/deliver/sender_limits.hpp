#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace socialsync::deliver {

struct SenderLimits {
  std::chrono::milliseconds connect_timeout{5'000};  // with the look-up of the name and TLS
  std::chrono::milliseconds total_timeout{15'000};
  std::size_t body_head_bytes_max = 4 * 1024;  // of an answer; then the transfer is ended
  std::size_t head_bytes_max = 32 * 1024;      // of an answer's headers
  long connections_kept_max = 1024;            // idle ones beyond that are closed, the oldest first
  std::size_t transfers_kept_max = 1024;       // libcurl's handles, kept for the next request
  std::chrono::seconds name_lifetime{30};      // of what DNS said
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
};

}  // namespace socialsync::deliver
