#include "model/endpoint.hpp"

namespace socialsync::model {

std::string_view to_string(DeliveryFormat format) {
  return format == DeliveryFormat::meta ? "meta" : "standard";
}

std::optional<DeliveryFormat> delivery_format_of(std::string_view name) {
  if (name == "meta") return DeliveryFormat::meta;
  if (name == "standard") return DeliveryFormat::standard;
  return std::nullopt;
}

}  // namespace socialsync::model
