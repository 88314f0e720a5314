#pragma once

#include <string>
#include <vector>

#include "migrate/backfill/load.hpp"

namespace socialsync::migrate {

// The single-tenant settings of one platform.
struct EnvironmentAccount {
  bool is_instagram = false;
  std::string key;  // the phone number id, the Instagram page id
  std::string app_secret;
  std::string verify_token;
  std::string access_token;
};

struct EnvironmentValues {
  WantedValues wanted;
  std::vector<std::string> notes;  // platforms that have settings but no account
};

// Finds the account that each platform's settings are for: the one that has the key, else the only one
// without a key, else the only one; or, when `account` is not empty, that one (its id or account_id) and no
// other. Throws Failure when there is none, or several could be meant: it names them.
EnvironmentValues load_environment(pg::Session& session, const std::vector<EnvironmentAccount>& settings,
                                   const std::string& account);

}  // namespace socialsync::migrate
