#include "deliver/compose.hpp"

#include "deliver/format.hpp"

namespace socialsync::deliver {

Request request_of(const Event& event, const model::Endpoint& endpoint, const Signer& signer,
                   std::int64_t now_seconds) {
  Request request{.url = endpoint.url, .body = body_of(event, endpoint.format), .headers = {}};
  request.headers = signer.headers(event.id, now_seconds, request.body);
  request.headers.emplace_back("content-type", "application/json");
  request.headers.insert(request.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  return request;
}

}  // namespace socialsync::deliver
