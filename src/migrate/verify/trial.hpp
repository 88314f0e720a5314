// A transaction for trials, and sample rows to try with.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "pg/error.hpp"
#include "pg/session.hpp"

namespace socialsync::migrate {

// A transaction that always ends in ROLLBACK and waits for a lock at most two seconds.
class TrialTransaction {
 public:
  // `begin`: BEGIN and further statements. Throws pg::Error.
  TrialTransaction(pg::Session& session, const std::string& begin);
  ~TrialTransaction();
  TrialTransaction(const TrialTransaction&) = delete;
  TrialTransaction& operator=(const TrialTransaction&) = delete;

  // Runs `work` and keeps its changes. Returns the error when the server refused a statement; all changes of
  // `work` are then undone. Throws errors that do not depend on the schema: a lost connection, a lock
  // conflict, a cancelled statement.
  std::optional<pg::Error> perform(const std::function<void()>& work);
  // Like perform(), but undoes the changes in any case.
  std::optional<pg::Error> attempt(const std::function<void()>& work);

 private:
  std::optional<pg::Error> run(const std::function<void()>& work, bool keep);

  pg::Session& session_;
};

struct SampleAccount {
  std::string id;
  std::string key;  // phone_number_id or page_id
};

struct SampleTenant {
  std::string user_id;
  SampleAccount active;
  SampleAccount inactive;
  std::string log_id;  // a row of webhook_logs of the active account

  // PostgreSQL arrays.
  std::string account_ids() const;
  std::string log_ids() const;
  std::string user_ids() const;
};

// The first is active on WhatsApp and inactive on Instagram, the second the reverse.
using SampleTenants = std::array<SampleTenant, 2>;

// Inserts both with unused addresses and keys. Throws pg::Error.
SampleTenants insert_samples(pg::Session& session);

}  // namespace socialsync::migrate
