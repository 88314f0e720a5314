// The files of sql/, compiled into the program.
#pragma once

#include <string_view>

namespace socialsync::migrate {

// Complete files, for psql.
std::string_view schema_updates();
std::string_view schema_rollback();
std::string_view gateway_role();

// The part of each file that defines its functions, without psql commands.
std::string_view update_definitions();
std::string_view rollback_definitions();

}  // namespace socialsync::migrate
