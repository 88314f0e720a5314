// Two tenants that are never committed, for the probes that try instead of looking.
#pragma once

#include <array>
#include <string>

#include "pg/session.hpp"

namespace socialsync::migrate {

struct SampleAccount {
  std::string id;
  std::string key;  // phone_number_id or page_id
};

struct SampleTenant {
  std::string user_id;
  SampleAccount active;
  SampleAccount inactive;
  std::string log_id;  // of the active account

  // As uuid[].
  std::string account_ids() const;
  std::string log_ids() const;
  std::string user_ids() const;
};

// The first is on WhatsApp and has an inactive Instagram account, the second the other way round.
using SampleTenants = std::array<SampleTenant, 2>;

// Inserts them, each under an address and keys that nobody has. Throws pg::Error.
SampleTenants insert_samples(pg::Session& session);

}  // namespace socialsync::migrate
