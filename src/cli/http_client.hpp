#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace socialsync::cli {

// POSTs JSON to one URL over one connection, as Meta does. The only libcurl.
class HttpClient {
 public:
  explicit HttpClient(const std::string& url);
  ~HttpClient();

  // The answer's status. Throws std::runtime_error when there is none.
  long post(std::string_view body, const std::string& signature);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace socialsync::cli
