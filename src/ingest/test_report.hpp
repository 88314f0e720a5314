#pragma once

#include <string>

#include "ingest/submission.hpp"

namespace socialsync::ingest {

// The result of an unsigned test webhook, as JSON for the developer who sent it:
// {"status":"success","logged":1,"duplicates":0,"quarantined":0,"events":[{"id":…,"social_account_id":…,
// "user_id":…,"webhook_type":…,"status":…,"new":true}],"quarantine":[{"id":…,"reason":…,"routing_key":…}]}
std::string test_report(const Submission& submission);

}  // namespace socialsync::ingest
