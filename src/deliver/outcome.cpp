#include "deliver/outcome.hpp"

namespace socialsync::deliver {

Verdict verdict_of(const Reply& reply) {
  if (reply.error != SendError::none) return Verdict::retry;
  if (reply.status >= 200 && reply.status <= 299) return Verdict::delivered;
  return reply.status == 410 ? Verdict::gone : Verdict::retry;
}

std::string_view error_of(const Reply& reply) {
  if (reply.error != SendError::none) return to_string(reply.error);
  return verdict_of(reply) == Verdict::delivered ? "" : "http_status";
}

}  // namespace socialsync::deliver
