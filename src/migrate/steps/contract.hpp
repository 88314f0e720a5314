// What the new schema does not need any more.
#pragma once

#include <string>
#include <vector>

#include "pg/options.hpp"

namespace socialsync::migrate {

struct Leftover {
  std::string id;  // "constraint.social_accounts_user_id_platform_key"
  std::string why;
  std::string statement;
};

// Never dropped by apply().
std::vector<Leftover> leftovers(const pg::ConnectionOptions& options);

// Drops those, in one transaction, a lock tried for 100 ms at a time. Throws Failure: wrong_usage for an id
// that is none, refused when something depends on one of them, which it names.
std::vector<Leftover> drop_leftovers(const pg::ConnectionOptions& options,
                                     const std::vector<std::string>& ids);

}  // namespace socialsync::migrate
