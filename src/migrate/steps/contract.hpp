// Objects of the old schema that the new one no longer needs.
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

// apply() never drops these.
std::vector<Leftover> leftovers(const pg::ConnectionOptions& options);

// Drops the leftovers with these ids in one transaction; each attempt at a lock takes at most 100 ms. Throws
// Failure: wrong_usage for an unknown id, refused with the names of objects that depend on a leftover.
std::vector<Leftover> drop_leftovers(const pg::ConnectionOptions& options,
                                     const std::vector<std::string>& ids);

}  // namespace socialsync::migrate
