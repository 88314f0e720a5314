// A tenant's account on one platform: the columns of social_accounts that ingest needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "model/event.hpp"

namespace socialsync::model {

// One of its endpoints: the columns of webhook_endpoints that routing needs.
struct AccountEndpoint {
  Uuid id;
  std::optional<std::vector<std::string>> webhook_events;  // nullopt: all that the account selects
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
  bool has_unreadable_secret = false;    // one cannot be decrypted: no secret is valid for this account
  std::string verify_token;              // empty when not set
  std::optional<std::vector<std::string>> webhook_events;  // nullopt: all of them
  std::vector<AccountEndpoint> endpoints{};                // the enabled ones
};

}  // namespace socialsync::model
