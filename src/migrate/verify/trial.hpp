#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "pg/error.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// A transaction that always ends in ROLLBACK, and waits for locks two seconds at most.
class TrialTransaction {
 public:
  // `begin`: "BEGIN …", and whatever else belongs to its beginning. Throws pg::Error.
  TrialTransaction(pg::Session& session, const std::string& begin);
  ~TrialTransaction();
  TrialTransaction(const TrialTransaction&) = delete;
  TrialTransaction& operator=(const TrialTransaction&) = delete;

  // Does `work`. Gives what the server refused, if it did, and then nothing of it is done; throws pg::Error
  // when that says nothing about the database: the connection is lost, a lock cannot be had, somebody
  // cancelled.
  std::optional<pg::Error> perform(const std::function<void()>& work);
  // The same, and takes it back in any case.
  std::optional<pg::Error> attempt(const std::function<void()>& work);

 private:
  std::optional<pg::Error> run(const std::function<void()>& work, bool keep);

  pg::Session& session_;
};

// Two tenants that are never committed, for the probes that try instead of looking.
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
