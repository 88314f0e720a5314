// Verifies a migrated database: one probe for each line of the migration guide's checklist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/progress.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

enum class State { pass, fail, skip };
std::string_view to_string(State state);  // "PASS", "FAIL", "SKIP"

// The result of one probe.
struct Finding {
  std::string id;  // V01, …: stable, never reused
  std::string title;
  State state = State::pass;
  std::string found;  // lines; the first is a summary
  std::string todo;   // lines of advice; empty when the probe passed
};

// Products with a setting that applies to accounts without their own: "whatsapp", "instagram", "messenger".
struct SharedSettings {
  std::vector<std::string> with_app_secret;
  std::vector<std::string> with_verify_token;
};

// Reads the catalogue and rows in a read-only transaction. Needs only SELECT, and works on a standby; a
// missing privilege is a SKIP. Throws pg::Error when the connection is lost or a table stays locked.
std::vector<Finding> verify_catalogue(pg::Session& session, const SharedSettings& settings,
                                      const ShowProgress& show);

// Acts as two sample tenants, as a signed-in user and as anon, in a transaction that is rolled back. Waits
// for a lock at most two seconds, locks only its own new rows, and notifies no gateway. Throws as
// verify_catalogue() does.
std::vector<Finding> verify_behaviour(pg::Session& session, const ShowProgress& show);
// Returns the findings of verify_behaviour(), all skipped for this reason.
std::vector<Finding> skipped_behaviour(const std::string& reason, const std::string& todo);

}  // namespace socialsync::migrate
