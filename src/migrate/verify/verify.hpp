// Is the migration done, and does it hold? The guide's checklist, one probe for each of its lines.
#pragma once

#include <string>
#include <vector>

#include "migrate/progress.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

enum class State { pass, fail, skip };
std::string_view to_string(State state);  // "PASS", "FAIL", "SKIP"

// What one probe found.
struct Finding {
  std::string id;  // V01, …: never given to another probe
  std::string title;
  State state = State::pass;
  std::string found;  // in lines, the first a summary
  std::string todo;   // what to do about it, in lines; empty when it passed
};

// The settings that stand behind accounts without their own, by product: "whatsapp", "instagram",
// "messenger".
struct SharedSettings {
  std::vector<std::string> with_app_secret;
  std::vector<std::string> with_verify_token;
};

// Looks, in a read-only transaction: SELECT rights are enough, a standby will do. Throws pg::Error when the
// connection is lost or a lock cannot be had; what the role may not look at is a SKIP.
std::vector<Finding> verify_catalogue(pg::Session& session, const SharedSettings& settings,
                                      const ShowProgress& show);

// Tries, in a transaction that is rolled back: as two tenants and their accounts of its own, as a signed-in
// user and as a stranger. Waits for no lock longer than two seconds, holds none but its new rows', wakes
// nobody. Throws pg::Error as above.
std::vector<Finding> verify_behaviour(pg::Session& session, const ShowProgress& show);
// The same probes, all skipped for this reason.
std::vector<Finding> skipped_behaviour(const std::string& reason, const std::string& todo);

}  // namespace socialsync::migrate
