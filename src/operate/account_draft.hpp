// The draft of an account that is added or changed: its fields, their checks, and the row to write.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "config/config.hpp"
#include "store/account_admin.hpp"

namespace socialsync::operate {

// A column that operators may write.
struct AccountField {
  enum class Kind { text, digits, number, url, events, ids, secret };

  std::string_view name;
  Kind kind = Kind::text;
  std::size_t characters_max = 255;
  std::string_view description;
};

std::span<const AccountField> account_fields();
// Null when no field has that name.
const AccountField* find_account_field(std::string_view name);

// Returns why the value is not valid, as a predicate of the field's name; nothing when it is. Never holds the
// value of a secret.
std::optional<std::string> fault_of(const AccountField& field, const std::string& value);

// Returns the platform's label in the database ("messenger" is "facebook"); nothing for an unknown word.
std::optional<std::string> platform_label(std::string_view word);

struct AccountDraft {
  std::string platform;                       // a label; empty for an existing account
  std::string user;                           // e-mail address or id; empty for an existing account
  std::map<std::string, std::string> values;  // by field name
  std::vector<std::string> cleared;           // fields to set to NULL
  std::optional<bool> is_active;

  // The id in Meta's webhooks: phone_number_id or page_id; empty when not set.
  std::string key() const;
};

// Return the faults of a draft, one text each. No text holds the value of a secret. A change needs at least
// one field, and may not clear a required one.
std::vector<std::string> faults_of_new(const AccountDraft& draft);
std::vector<std::string> faults_of_change(const AccountDraft& draft);

// The fields that a change sets or clears, sorted.
std::vector<std::string> changed_fields(const AccountDraft& draft);

// Returns the row of a new account of `user`: account_id and username default to the key and the business's
// name. Where a key is configured, the secrets that only gateways read are encrypted, and the application's
// tokens where their columns are encrypted by the server.
store::AccountWrite new_account_row(AccountDraft draft, const Uuid& id, const Uuid& user,
                                    const config::SecretsAtRest& at_rest);
// Returns the change of an existing account's row, encrypted in the same way.
store::AccountWrite changed_account_row(const AccountDraft& draft, const Uuid& id,
                                        const config::SecretsAtRest& at_rest);

}  // namespace socialsync::operate
