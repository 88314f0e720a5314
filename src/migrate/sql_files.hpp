// The SQL of the migration, as it was when this program was built.
#pragma once

#include <string_view>

namespace socialsync::migrate {

// The files in sql/, for psql.
std::string_view schema_updates();
std::string_view schema_rollback();
std::string_view gateway_role();

// Of each file the part that defines its functions, and holds nothing that only psql understands.
std::string_view update_definitions();
std::string_view rollback_definitions();

}  // namespace socialsync::migrate
