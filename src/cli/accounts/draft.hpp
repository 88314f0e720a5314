// An account that is to be made or changed, from options or from a line of a file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "config/config.hpp"
#include "store/account_admin.hpp"

namespace socialsync::cli::accounts {

struct Draft {
  std::string platform;                       // a label; empty where the account is there
  std::string user;                           // e-mail address or id; empty where the account is there
  std::map<std::string, std::string> values;  // by the field's name
  std::vector<std::string> cleared;           // fields whose value is taken away
  std::optional<bool> is_active;

  bool has(const std::string& name) const { return values.contains(name); }
  // What Meta names a new account by; empty when that is missing.
  std::string key() const;
};

// What is wrong with the draft of a new account, or of a change; one line each.
std::vector<std::string> faults_of(const Draft& draft, bool is_new, bool any_event);

// Puts in what a new account has unless it is told otherwise: account_id, username.
void complete(Draft& draft);

// The row to write. Where there is a key, what only gateways read is sealed, and of the application's tokens
// those that the server would seal at once.
store::AccountWrite write_of(const Draft& draft, const Uuid& id, std::optional<Uuid> new_for,
                             const config::SecretsAtRest& at_rest);

}  // namespace socialsync::cli::accounts
