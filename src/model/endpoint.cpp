#include "model/endpoint.hpp"

#include <algorithm>
#include <iterator>

namespace socialsync::model {

std::string_view to_string(DeliveryFormat format) {
  return format == DeliveryFormat::meta ? "meta" : "standard";
}

std::optional<DeliveryFormat> delivery_format_of(std::string_view name) {
  if (name == "meta") return DeliveryFormat::meta;
  if (name == "standard") return DeliveryFormat::standard;
  return std::nullopt;
}

bool is_reserved_header(std::string_view name) {
  std::string word(name);
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view reserved[] = {"host",
                                           "content-type",
                                           "content-length",
                                           "content-encoding",
                                           "connection",
                                           "transfer-encoding",
                                           "te",
                                           "trailer",
                                           "upgrade",
                                           "expect",
                                           "keep-alive",
                                           "user-agent",
                                           "x-hub-signature",
                                           "x-hub-signature-256"};
  return std::ranges::find(reserved, word) != std::end(reserved) || word.starts_with("webhook-") ||
         word.starts_with("proxy-");
}

}  // namespace socialsync::model
