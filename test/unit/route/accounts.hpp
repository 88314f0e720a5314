// Accounts and events for tests, named by small numbers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/account.hpp"
#include "model/event.hpp"
#include "route/directory.hpp"

namespace socialsync::route::test {

using model::Account;
using model::Event;
using model::Platform;

inline Uuid numbered(std::uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

// An active account of a user of its own.
inline Account account(std::uint8_t number, Platform platform, std::string account_id = "") {
  Account made;
  made.id = numbered(number);
  made.user_id = numbered(static_cast<std::uint8_t>(100 + number));
  made.platform = platform;
  made.platform_label = platform == Platform::messenger ? "facebook" : to_string(platform);
  made.account_id = account_id.empty() ? "account " + std::to_string(number) : std::move(account_id);
  return made;
}

inline Account whatsapp(std::uint8_t number, std::string phone_number_id, std::string waba_id = "") {
  Account made = account(number, Platform::whatsapp);
  made.phone_number_id = std::move(phone_number_id);
  made.waba_id = std::move(waba_id);
  return made;
}

inline Account instagram(std::uint8_t number, std::string page_id) {
  Account made = account(number, Platform::instagram);
  made.page_id = std::move(page_id);
  return made;
}

inline Account messenger(std::uint8_t number, std::string page_id) {
  Account made = account(number, Platform::messenger);
  made.page_id = std::move(page_id);
  return made;
}

inline Event event(Platform platform, std::string entry_id, std::string phone_number_id = "") {
  Event made;
  made.platform = platform;
  made.key.entry_id = std::move(entry_id);
  made.key.phone_number_id = std::move(phone_number_id);
  made.type = "messages";
  made.kind = "message";
  made.natural_id = "wamid.1";
  made.time_ms = 1'760'000'000'000;
  made.payload = "{}";
  return made;
}

// Returns the numbers of the event's accounts ("1 2"), or the refusal.
inline std::string found(const Directory& directory, const Event& event, const Signers& signers) {
  std::vector<const Tenant*> tenants;
  const auto routed = directory.find(event, signers, tenants);
  if (routed.has_error()) return std::string(to_string(routed.error()));
  std::string numbers;
  for (const Tenant* tenant : tenants)
    numbers += (numbers.empty() ? "" : " ") + std::to_string(tenant->account.id.bytes[15]);
  return numbers;
}

}  // namespace socialsync::route::test
