// Until every command has adopted cli/app/runner.hpp.
#pragma once

#include "cli/app/runner.hpp"

namespace socialsync::cli {

void add_common(Command command, Common& common, bool has_json);
int guarded(const Common& common, const std::function<int()>& work);

}  // namespace socialsync::cli
