#pragma once

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

}  // namespace socialsync::migrate
