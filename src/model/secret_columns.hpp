#pragma once

#include <array>
#include <string_view>

namespace socialsync::model {

// The columns of social_accounts whose values may be sealed.
inline constexpr std::array<std::string_view, 4> secret_columns = {"app_secret", "verify_token",
                                                                   "access_token", "refresh_token"};

}  // namespace socialsync::model
