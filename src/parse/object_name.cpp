#include "parse/object_name.hpp"

namespace socialsync::parse {

std::string_view object_name(model::Platform platform) {
  switch (platform) {
    case model::Platform::whatsapp: return "whatsapp_business_account";
    case model::Platform::instagram: return "instagram";
    case model::Platform::messenger: return "page";
  }
  return "";
}

std::optional<model::Platform> platform_of(Value object) {
  for (const auto platform :
       {model::Platform::whatsapp, model::Platform::instagram, model::Platform::messenger}) {
    if (object.equals(object_name(platform))) return platform;
  }
  return std::nullopt;
}

}  // namespace socialsync::parse
