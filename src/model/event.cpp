#include "model/event.hpp"

namespace socialsync::model {

std::string_view to_string(Platform platform) {
  switch (platform) {
    case Platform::whatsapp: return "whatsapp";
    case Platform::instagram: return "instagram";
    case Platform::messenger: return "messenger";
  }
  return "unknown";
}

}  // namespace socialsync::model
