#pragma once

#include <string>
#include <utility>
#include <vector>

namespace socialsync::pg {

// libpq's connection keywords and values. A URL goes in as "dbname".
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
using ConnectionOptions = std::vector<std::pair<std::string, std::string>>;

// The same with a URL taken apart into its keywords. Throws pg::Error when it cannot be read; the message
// does not repeat it, since it may hold a password.
ConnectionOptions expanded(const ConnectionOptions& options);

// The same server and role, but that database. Taken apart as by expanded().
ConnectionOptions with_database(const ConnectionOptions& options, const std::string& name);

}  // namespace socialsync::pg
