// Which tenant would get an event, and why not: asked of the gateway's own directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/account.hpp"
#include "model/event.hpp"
#include "route/directory.hpp"

namespace socialsync::cli::migration {

// Where in a webhook the key stands.
enum class KeyKind { phone_number_id, page_id, account_id, waba_id, display_phone_number };
std::string_view to_string(KeyKind kind);

struct RouteQuestion {
  KeyKind kind = KeyKind::phone_number_id;
  std::string key;
  std::optional<model::Platform> platform;  // nothing: whichever sends such keys
};

enum class RouteResult { routed, ambiguous_account, inactive_account, unknown_account };
std::string_view to_string(RouteResult result);

struct RouteCandidate {
  const model::Account* account;  // as long as the tracer lives
  std::string matched_by;         // phone_number_id, page_id, …
};

struct RouteAnswer {
  RouteResult result = RouteResult::unknown_account;
  std::vector<RouteCandidate> candidates;  // routed: who gets it; else all that answer to the key
  std::vector<std::string> warnings;
};

class RouteTracer {
 public:
  RouteTracer(std::vector<model::Account> accounts, const route::SharedSecrets& shared);

  // Under each secret that may sign such an event. An unknown key's nearest facts are among the warnings.
  RouteAnswer answer(const RouteQuestion& question) const;

  // Why an event with the account's own key would not come to it; nothing when it would.
  std::optional<std::string> fault_of(const model::Account& account) const;

  const std::vector<model::Account>& accounts() const { return accounts_; }

 private:
  struct Outcome;
  void ask(const model::Event& event, Outcome& outcome) const;
  void add_candidates(const model::Event& event, RouteAnswer& answer) const;
  void warn(const model::Account& account, RouteAnswer& answer) const;
  void add_facts(const RouteQuestion& question, RouteAnswer& answer) const;
  const std::vector<std::string>& effective_secrets(const model::Account& account) const;

  std::vector<model::Account> accounts_;
  route::SharedSecrets shared_;
  route::Directory directory_;
};

}  // namespace socialsync::cli::migration
