// Traces which account an event would be routed to, and why not, with the gateway's own directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config/config.hpp"
#include "model/account.hpp"
#include "model/event.hpp"
#include "pg/connection.hpp"
#include "route/directory.hpp"

namespace socialsync::operate {

// The place of a routing key in a webhook.
enum class KeyKind { phone_number_id, page_id, account_id, waba_id, display_phone_number };
std::string_view to_string(KeyKind kind);

struct RouteQuestion {
  KeyKind kind = KeyKind::phone_number_id;
  std::string key;
  std::optional<model::Platform> platform;  // nothing: all that send such keys
};

enum class RouteResult { routed, ambiguous_account, inactive_account, unknown_account };
std::string_view to_string(RouteResult result);

struct RouteCandidate {
  const model::Account* account;  // valid as long as the tracer
  std::string matched_by;         // phone_number_id, page_id, …
};

struct RouteAnswer {
  RouteResult result = RouteResult::unknown_account;
  std::vector<RouteCandidate> candidates;  // routed: its receivers; otherwise all that match the key
  std::vector<std::string> warnings;
};

// Columns of an account that the gateway does not load.
struct RouteDetails {
  std::string email;  // empty when this role may not read users
  std::string business_name;
  std::string webhook_status;
};
// Throws pg::Error.
boost::asio::awaitable<RouteDetails> details_of(pg::Connection& connection, const model::Account& account);

class RouteTracer {
 public:
  // With the app secrets of `settings` for accounts without their own.
  RouteTracer(std::vector<model::Account> accounts, const config::Config& settings);

  // Asks under each secret that may sign such an event. For an unknown key, the warnings name similar ones.
  RouteAnswer answer(const RouteQuestion& question) const;

  // Returns why an event with the account's own key would not reach it; nothing when it would.
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

}  // namespace socialsync::operate
