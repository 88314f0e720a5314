#include "http/protocol_error.hpp"

namespace socialsync::http {

Response protocol_error(int status) {
  switch (status) {
    case 408: return error_response(408, "request_timeout", "the request did not arrive in time");
    case 413: return error_response(413, "body_too_large", "the body is larger than this server accepts");
    case 417: return error_response(417, "expectation_failed", "the only expectation known is 100-continue");
    case 431: return error_response(431, "headers_too_large", "the headers are too many or too large");
    case 500: return error_response(500, "internal", "the request could not be handled");
    case 501: return error_response(501, "unknown_transfer_encoding", "the only one known is chunked");
    case 503: break;
    default: return error_response(400, "bad_request", "the request is not valid HTTP");
  }
  Response response = error_response(503, "overloaded", "the server has no room for another request");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace socialsync::http
