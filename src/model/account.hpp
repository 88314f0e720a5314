// A tenant's account on one platform: a row of social_accounts, as ingest needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "model/event.hpp"

namespace socialsync::model {

// Where its events are to go: as much of a row of webhook_endpoints as routing needs.
struct AccountEndpoint {
  Uuid id;
  std::optional<std::vector<std::string>> webhook_events;  // nothing: all that the account wants
  bool is_ordered = false;
};

struct Account {
  Uuid id;
  Uuid user_id;
  Platform platform = Platform::whatsapp;
  std::string platform_label;  // the database's own: "whatsapp_business", "facebook", …
  bool active = true;

  std::string account_id;
  std::string phone_number_id;          // empty when not set
  std::string page_id;                  // empty when not set
  std::string display_phone_number;     // empty when not set
  std::vector<std::string> linked_ids;  // further ids of the same account, from webhook_metadata
  std::string waba_id;                  // learned from routed traffic; empty until then

  std::vector<std::string> app_secrets;  // its own, newest first; empty: the environment's apply
  bool has_unreadable_secret = false;    // it has one that cannot be opened: no secret signs for it
  std::string verify_token;              // empty when not set
  std::optional<std::vector<std::string>> webhook_events;  // nothing: all of them
  std::vector<AccountEndpoint> endpoints{};                // those that are switched on
};

}  // namespace socialsync::model
