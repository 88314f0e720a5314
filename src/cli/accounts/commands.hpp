// `socialsync accounts …`: read.cpp has list, show and check; write.cpp has add, set, import and remove.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

#include "cli/app/command.hpp"
#include "store/account_admin.hpp"

namespace socialsync::cli::accounts {

void add_readers(Command accounts);
void add_writers(Command accounts);

// Adds the argument ACCOUNT; an empty word is refused.
void add_account_name(Command command, std::string& name, bool is_required);

boost::json::object json_of(const store::AccountRecord& account);

}  // namespace socialsync::cli::accounts
