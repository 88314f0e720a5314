#pragma once

#include <optional>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "deliver/exchange.hpp"

namespace socialsync::deliver {

// A request's headers as libcurl takes them. Keeps its memory, so that the next request needs none.
class HeaderList {
 public:
  // Until the next call. Nothing when a name or a value holds a control character, which could end the header
  // and begin another.
  std::optional<curl_slist*> build(const Request& request);

 private:
  bool add(std::string_view name, std::string_view value);
  curl_slist* link();

  std::string text_;  // each header ends with a zero
  std::vector<std::size_t> begins_;
  std::vector<curl_slist> nodes_;
};

}  // namespace socialsync::deliver
