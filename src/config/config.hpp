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

// The single-tenant settings of one platform: its first account, and the tokens and secrets that stand
// behind accounts without their own.
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

// How secrets lie in the database.
struct SecretsAtRest {
  crypto::SecretKeys keys;                  // none: sealed values cannot be read
  std::vector<std::string> sealed_columns;  // that the server seals when a plain value arrives
};

// Limits of the process as a whole. Each room has its own beside its code.
struct Limits {
  std::chrono::milliseconds lock_timeout{200};              // of writers that wait for a locked row
  std::chrono::milliseconds connect_timeout{5'000};         // to PostgreSQL
  std::chrono::seconds shutdown_deadline{30};               // for answering accepted requests
  std::chrono::milliseconds last_webhook_interval{10'000};  // between two updates of last_webhook_at
  std::chrono::milliseconds reroute_pause{20};              // between two batches from the quarantine
};

// What is kept of what is signed but nobody's. Over a cap the oldest rows go.
struct Quarantine {
  std::optional<int> days;  // nothing: kept until the cap
  std::uint64_t rows_max = 0;
  std::uint64_t bytes_max = 0;  // of the bodies
};

// The egress policy of deliveries: deliver/wire/address.hpp.
struct Egress {
  std::vector<std::string> allowed;  // networks, private though they are; net::Cidr reads each
  bool http = false;                 // receivers without TLS
  std::string proxy;                 // a URL, which may hold a password
};

struct Config {
  Database database;
  PlatformDefaults whatsapp;
  PlatformDefaults instagram;
  PlatformDefaults messenger;

  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;
  std::string data_dir;  // of the private database; made absolute
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

// Looks a name up: nothing when it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct Loaded {
  Config config;
  std::vector<Problem> problems;  // start only when empty
};

// Pure, but for a file of keys that a setting names: reads settings through `lookup`; `names` are all names
// that are set, so that a misspelt SOCIALSYNC_* is found.
Loaded load(const Lookup& lookup, const std::vector<std::string>& names);

// Whether NO_COLOR is set: https://no-color.org
bool is_colour_unwanted();

// The same from the process's environment and, behind it, `.env` in the working directory.
Loaded load_from_environment();

}  // namespace socialsync::config
