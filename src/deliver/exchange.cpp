#include "deliver/exchange.hpp"

namespace socialsync::deliver {

std::string_view to_string(SendError error) {
  switch (error) {
    case SendError::none: return "none";
    case SendError::bad_url: return "bad_url";
    case SendError::name_not_found: return "name_not_found";
    case SendError::address_refused: return "address_refused";
    case SendError::not_connected: return "not_connected";
    case SendError::tls_failed: return "tls_failed";
    case SendError::timed_out: return "timed_out";
    case SendError::connection_lost: return "connection_lost";
    case SendError::protocol_error: return "protocol_error";
  }
  return "unknown";
}

}  // namespace socialsync::deliver
