#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace socialsync::cli {

// Asks one URL over one connection. The only libcurl.
class HttpClient {
 public:
  explicit HttpClient(const std::string& url);
  ~HttpClient();

  // Each gives the answer's status. Throws std::runtime_error when there is none.
  long get();
  // JSON, as Meta sends it.
  long post(std::string_view body, const std::string& signature);

 private:
  long perform();

  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace socialsync::cli
