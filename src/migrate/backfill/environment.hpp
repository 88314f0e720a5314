// Values to backfill from single-tenant settings.
#pragma once

#include <string>
#include <vector>

#include "migrate/backfill/load.hpp"

namespace socialsync::migrate {

// The settings of one platform.
struct EnvironmentAccount {
  bool is_instagram = false;
  std::string key;  // phone number id, or Instagram page id
  std::string app_secret;
  std::string verify_token;
  std::string access_token;
};

struct EnvironmentValues {
  WantedValues wanted;
  std::vector<std::string> notes;  // platforms with settings and no account
};

// Assigns each platform's settings to one account: the account with this key, else the only one without a
// key, else the only one. A non-empty `account` (id or account_id) allows that account alone. Throws Failure
// when there is no such account, or names the candidates when there are several.
EnvironmentValues load_environment(pg::Session& session, const std::vector<EnvironmentAccount>& settings,
                                   const std::string& account);

}  // namespace socialsync::migrate
