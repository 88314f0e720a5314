#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/core.h>
#include <unistd.h>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/dotenv.hpp"
#include "config/egress.hpp"
#include "config/secrets.hpp"

extern char** environ;

namespace socialsync::config {
namespace {

constexpr std::string_view our_prefix = "SOCIALSYNC_";

// Every SOCIALSYNC_* name there is.
constexpr std::array known_names = {
    "SOCIALSYNC_LISTEN",
    "SOCIALSYNC_DATA_DIR",
    "SOCIALSYNC_DEV",
    "SOCIALSYNC_RETENTION_DAYS",
    "SOCIALSYNC_LOG",
    "SOCIALSYNC_LOG_LEVEL",
    "SOCIALSYNC_QUARANTINE_DAYS",
    "SOCIALSYNC_QUARANTINE_ROWS_MAX",
    "SOCIALSYNC_QUARANTINE_BYTES_MAX",
    "SOCIALSYNC_SECRETS_KEY",
    "SOCIALSYNC_SECRETS_KEY_FILE",
    "SOCIALSYNC_SECRETS_SEAL",
    "SOCIALSYNC_EGRESS_ALLOW",
    "SOCIALSYNC_EGRESS_HTTP",
    "SOCIALSYNC_EGRESS_PROXY",
};

class Reader {
 public:
  Reader(const Lookup& lookup, std::vector<Problem>& problems) : lookup_(lookup), problems_(problems) {}

  std::string text(std::string_view name) const { return lookup_(name).value_or(""); }

  void problem(std::string_view name, std::string message) const {
    problems_.push_back({std::string(name), std::move(message)});
  }

  std::vector<std::string> list(std::string_view name) const { return split_list(text(name)); }

  template <class Number>
  std::optional<Number> number(std::string_view name, Number least, Number most) const {
    const std::string value = text(name);
    if (value.empty()) return std::nullopt;
    Number parsed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error == std::errc() && end == value.data() + value.size() && parsed >= least && parsed <= most)
      return parsed;
    problem(name, fmt::format("must be a whole number from {} to {}", least, most));
    return std::nullopt;
  }

  bool flag(std::string_view name) const {
    const std::string value = text(name);
    if (value.empty() || value == "0" || value == "false") return false;
    if (value == "1" || value == "true") return true;
    problem(name, "must be 1 or 0");
    return false;
  }

  // True when set to the first of the two words.
  bool choice(std::string_view name, std::string_view first, std::string_view usual) const {
    const std::string value = text(name);
    if (value == first) return true;
    if (!value.empty() && value != usual) problem(name, fmt::format("must be {} or {}", usual, first));
    return false;
  }

 private:
  const Lookup& lookup_;
  std::vector<Problem>& problems_;
};

Database read_database(const Reader& reader) {
  if (const std::string url = reader.text("DATABASE_URL"); !url.empty()) return {{{"dbname", url}}};
  if (reader.text("DB_HOST").empty()) return {};
  reader.number("DB_PORT", 1, 65'535);
  constexpr std::pair<const char*, const char*> keywords[] = {{"host", "DB_HOST"},
                                                              {"port", "DB_PORT"},
                                                              {"dbname", "DB_NAME"},
                                                              {"user", "DB_USER"},
                                                              {"password", "DB_PASSWORD"}};
  Database database;
  for (const auto& [keyword, name] : keywords) {
    if (std::string value = reader.text(name); !value.empty()) database.options.emplace_back(keyword, value);
  }
  return database;
}

// Without the brackets that an IPv6 address needs before a port; empty when `text` is no host.
std::string host_of(std::string_view text) {
  const bool in_brackets = text.starts_with('[') && text.ends_with(']');
  if (in_brackets) return std::string(text.substr(1, text.size() - 2));
  if (text.find_first_of("[]: ") != std::string_view::npos) return {};
  return std::string(text);
}

// HOST:PORT, or only a port.
void read_listen(const Reader& reader, Config& config) {
  const std::string value = reader.text("SOCIALSYNC_LISTEN");
  if (value.empty()) return;
  const std::size_t colon = value.rfind(':');
  const bool has_host = colon != std::string::npos;
  const std::string port = has_host ? value.substr(colon + 1) : value;
  const char* last = port.data() + port.size();
  const auto [end, error] = std::from_chars(port.data(), last, config.listen_port);
  if (has_host) config.listen_host = host_of(std::string_view(value).substr(0, colon));
  if (error != std::errc() || end != last || config.listen_host.empty())
    reader.problem("SOCIALSYNC_LISTEN",
                   "must be an address and a port, such as 127.0.0.1:8000 or [::1]:8000");
}

void read_platforms(const Reader& reader, Config& config) {
  const std::vector<std::string> shared = reader.list("META_APP_SECRET");
  config.whatsapp = {shared, reader.text("WHATSAPP_ACCESS_TOKEN"), reader.text("WHATSAPP_PHONE_NUMBER_ID"),
                     reader.text("WHATSAPP_VERIFY_TOKEN")};
  config.instagram = {shared, reader.text("INSTAGRAM_ACCESS_TOKEN"), reader.text("INSTAGRAM_PAGE_ID"),
                      reader.text("INSTAGRAM_VERIFY_TOKEN")};
  // Instagram Login signs with a secret of its own.
  for (std::string& secret : reader.list("INSTAGRAM_APP_SECRET"))
    config.instagram.app_secrets.push_back(std::move(secret));
  config.messenger = {shared, "", "", ""};
}

// Without a limit of its own it is kept as long as the events are; without that, until the cap.
void read_quarantine(const Reader& reader, Config& config) {
  constexpr const char* days = "SOCIALSYNC_QUARANTINE_DAYS";
  constexpr std::uint64_t number_max = std::uint64_t{1} << 50;
  config.quarantine.days = reader.number(days, 1, 36'500);
  if (config.retention_days && config.quarantine.days > config.retention_days)
    reader.problem(days, "must not be more than SOCIALSYNC_RETENTION_DAYS, which ends the quarantine too");
  if (!config.quarantine.days) config.quarantine.days = config.retention_days;
  if (const auto rows = reader.number<std::uint64_t>("SOCIALSYNC_QUARANTINE_ROWS_MAX", 1, number_max))
    config.quarantine.rows_max = *rows;
  if (const auto bytes = reader.number<std::uint64_t>("SOCIALSYNC_QUARANTINE_BYTES_MAX", 1, number_max))
    config.quarantine.bytes_max = *bytes;
}

std::string default_data_dir(const Reader& reader) {
  if (geteuid() == 0) return "/var/lib/socialsync";
  if (const std::string data = reader.text("XDG_DATA_HOME"); !data.empty()) return data + "/socialsync";
  return reader.text("HOME") + "/.local/share/socialsync";
}

void refuse_unknown(const Reader& reader, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!name.starts_with(our_prefix)) continue;
    if (std::ranges::find(known_names, name) == known_names.end())
      reader.problem(name, "is not a setting of this program");
  }
}

std::map<std::string, std::string> read_dotenv() {
  std::ifstream file(".env");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_dotenv(text);
}

}  // namespace

Loaded load(const Lookup& lookup, const std::vector<std::string>& names) {
  Loaded loaded;
  Config& config = loaded.config;
  const Reader reader(lookup, loaded.problems);
  config.database = read_database(reader);
  read_platforms(reader, config);
  read_listen(reader, config);
  config.data_dir = reader.text("SOCIALSYNC_DATA_DIR");
  if (config.data_dir.empty()) config.data_dir = default_data_dir(reader);
  config.data_dir = std::filesystem::absolute(config.data_dir).lexically_normal().string();
  config.developer = reader.flag("SOCIALSYNC_DEV");
  config.retention_days = reader.number("SOCIALSYNC_RETENTION_DAYS", 1, 36'500);
  read_quarantine(reader, config);
  config.log_json = reader.choice("SOCIALSYNC_LOG", "json", "text");
  config.log_debug = reader.choice("SOCIALSYNC_LOG_LEVEL", "debug", "info");
  config.secrets = read_secrets_at_rest(lookup, loaded.problems);
  config.egress.http = reader.flag("SOCIALSYNC_EGRESS_HTTP");
  read_egress(lookup, config.egress, loaded.problems);
  refuse_unknown(reader, names);
  return loaded;
}

Loaded load_from_environment() {
  const std::map<std::string, std::string> file = read_dotenv();
  const auto lookup = [&file](std::string_view name) -> std::optional<std::string> {
    const std::string key(name);
    if (const char* value = std::getenv(key.c_str())) return value;
    const auto found = file.find(key);
    return found == file.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<std::string> names;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view assignment(*entry);
    names.emplace_back(assignment.substr(0, assignment.find('=')));
  }
  for (const auto& [name, value] : file) names.push_back(name);
  return load(lookup, names);
}

bool is_colour_unwanted() {
  const char* value = std::getenv("NO_COLOR");
  return value && *value;
}

}  // namespace socialsync::config
