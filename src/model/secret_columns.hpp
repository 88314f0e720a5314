#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace socialsync::model {

// A column whose values may be encrypted.
struct SecretColumn {
  std::string_view name;   // in settings, options and reports
  std::string_view table;  // of the schema public; its key is `id`
  std::string_view column;
  std::string_view sealed_as;  // the column that encrypted values are bound to
};

// The previous signing secret is bound as signing_secret, so that SQL can copy one to the other unchanged.
inline constexpr std::array<SecretColumn, 7> secret_columns = {
    {{"app_secret", "social_accounts", "app_secret", "app_secret"},
     {"verify_token", "social_accounts", "verify_token", "verify_token"},
     {"access_token", "social_accounts", "access_token", "access_token"},
     {"refresh_token", "social_accounts", "refresh_token", "refresh_token"},
     {"endpoints.app_secret", "webhook_endpoints", "app_secret", "app_secret"},
     {"endpoints.signing_secret", "webhook_endpoints", "signing_secret", "signing_secret"},
     {"endpoints.previous_signing_secret", "webhook_endpoints", "previous_signing_secret",
      "signing_secret"}}};

// nullptr if no column has that name.
constexpr const SecretColumn* find_secret_column(std::string_view name) {
  const auto found = std::ranges::find(secret_columns, name, &SecretColumn::name);
  return found == secret_columns.end() ? nullptr : &*found;
}

}  // namespace socialsync::model
