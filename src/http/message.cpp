#include "http/message.hpp"

#include "base/text.hpp"

namespace socialsync::http {

Response error_response(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = R"({"error":{"code":)";
  append_json_string(response.body, code);
  response.body += R"(,"message":)";
  append_json_string(response.body, message);
  response.body += "}}";
  return response;
}

}  // namespace socialsync::http
