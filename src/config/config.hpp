// The settings as values; their names, defaults and ranges are in settings.def. Nothing else reads the
// environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/secret_box.hpp"

namespace socialsync::config {

// The single-tenant settings of one platform: its first account, and the secrets and tokens for accounts
// without their own.
struct PlatformDefaults {
  std::vector<std::string> app_secrets;
  std::string access_token;
  std::string account_key;  // WHATSAPP_PHONE_NUMBER_ID, INSTAGRAM_PAGE_ID
  std::string verify_token;
};

struct Database {
  // libpq's keywords and values; empty when the environment names no database.
  std::vector<std::pair<std::string, std::string>> options;

  bool given() const { return !options.empty(); }
};

// Encryption of secrets in the database.
struct SecretsAtRest {
  crypto::SecretKeys keys;                  // empty: encrypted values cannot be read
  std::vector<std::string> sealed_columns;  // in which the server encrypts new plaintext values
};

// Limits of the process as a whole. Each room has its own beside its code.
struct Limits {
  std::chrono::milliseconds lock_timeout{200};              // writers waiting for a locked row
  std::chrono::milliseconds connect_timeout{5'000};         // to PostgreSQL
  std::chrono::seconds shutdown_deadline{30};               // for answering accepted requests
  std::chrono::milliseconds last_webhook_interval{10'000};  // between two updates of last_webhook_at
  std::chrono::milliseconds reroute_pause{20};              // between two batches from the quarantine
};

// Limits of the quarantine. Beyond them the oldest rows are removed.
struct Quarantine {
  std::optional<int> days;  // nothing: no limit of age
  std::uint64_t rows_max = 0;
  std::uint64_t bytes_max = 0;  // bodies only
};

// The egress policy of deliveries: deliver/wire/address.hpp.
struct Egress {
  std::vector<std::string> allowed;  // private networks; valid for net::Cidr
  bool http = false;                 // allows receivers without TLS
  std::string proxy;                 // a URL, which may hold a password
};

struct Config {
  Database database;
  PlatformDefaults whatsapp;
  PlatformDefaults instagram;
  PlatformDefaults messenger;

  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;
  std::string data_dir;  // absolute; has the private database
  bool developer = false;
  std::optional<int> retention_days;
  Quarantine quarantine;
  bool log_json = false;
  bool log_debug = false;

  SecretsAtRest secrets;
  Egress egress;

  Limits limits;
};

struct Problem {
  std::string setting;
  std::string message;  // never holds the value of a secret
};

// Returns a variable's value; nothing if it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct Loaded {
  Config config;
  std::vector<Problem> problems;  // the program must not start unless empty
};

// Reads the settings through `lookup`. `names` are all variables that are set: an unknown SOCIALSYNC_* is a
// problem. Reads no file but that of SOCIALSYNC_SECRETS_KEY_FILE.
Loaded load(const Lookup& lookup, const std::vector<std::string>& names);

// True if NO_COLOR is set: https://no-color.org
bool is_colour_unwanted();

// Reads the process's environment, which takes precedence, and `.env` in the working directory.
Loaded load_from_environment();

}  // namespace socialsync::config
