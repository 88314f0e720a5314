#pragma once

#include <string>
#include <utility>
#include <vector>

namespace socialsync::pg {

// libpq's connection keywords and values. A URL goes in as "dbname".
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
using ConnectionOptions = std::vector<std::pair<std::string, std::string>>;

// Replaces a URL by its keywords. Throws pg::Error if it is malformed; the message does not repeat the URL,
// which may hold a password.
ConnectionOptions expanded(const ConnectionOptions& options);

// Returns the expanded options with another database on the same server.
ConnectionOptions with_database(const ConnectionOptions& options, const std::string& name);

}  // namespace socialsync::pg
