// What verify found, for a person or for a program.
#pragma once

#include <string>
#include <vector>

#include "migrate/verify/verify.hpp"

namespace socialsync::cli::migration {

struct Tally {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
};
Tally tally_of(const std::vector<migrate::Finding>& findings);

// A paragraph for each finding, in lines of at most `width` columns where words allow, and the tally.
std::string findings_as_text(const std::vector<migrate::Finding>& findings, std::size_t width);
// {"v":1,"probes":[{"id":…,"title":…,"state":"PASS","found":…,"todo":…}],"passed":…,"failed":…,"skipped":…}
std::string findings_as_json(const std::vector<migrate::Finding>& findings);
// https://github.com/testmoapp/junitxml
std::string findings_as_junit(const std::vector<migrate::Finding>& findings);
// https://testanything.org/tap-version-13-specification.html, which more programs read than 14
std::string findings_as_tap(const std::vector<migrate::Finding>& findings);

}  // namespace socialsync::cli::migration
