#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/dotenv.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"
#include "net/cidr.hpp"

extern char** environ;

namespace socialsync::config {
namespace {

constexpr std::string_view our_prefix = "SOCIALSYNC_";

class Reader {
 public:
  Reader(const Lookup& lookup, std::vector<Problem>& problems) : lookup_(lookup), problems_(problems) {}

  // Returns the setting's value, or its default when it is unset or empty.
  std::string text(std::string_view name) const {
    std::string value = lookup_(name).value_or("");
    return value.empty() ? std::string(row(name).standard) : value;
  }

  void problem(std::string_view name, std::string message) const {
    problems_.push_back({std::string(name), std::move(message)});
  }

  std::vector<std::string> list(std::string_view name) const { return split_list(text(name)); }

  // Returns nothing when it is unset, or told as a problem.
  std::optional<std::uint64_t> number(std::string_view name) const {
    const auto& [kind, least, most, choices] = row(name).values;
    assert(kind == Setting::Kind::number);
    const std::string value = text(name);
    if (value.empty()) return std::nullopt;
    std::uint64_t parsed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error == std::errc() && end == value.data() + value.size() && parsed >= least && parsed <= most)
      return parsed;
    problem(name, fmt::format("must be a whole number from {} to {}", least, most));
    return std::nullopt;
  }

  std::optional<int> days(std::string_view name) const {
    const auto found = number(name);
    return found ? std::optional(static_cast<int>(*found)) : std::nullopt;
  }

  bool flag(std::string_view name) const {
    assert(row(name).values.kind == Setting::Kind::flag);
    const std::string value = text(name);
    if (value == "0" || value == "false") return false;
    if (value == "1" || value == "true") return true;
    problem(name, "must be 1 or 0");
    return false;
  }

  std::string choice(std::string_view name) const {
    const std::vector<std::string> choices = split_list(row(name).values.choices);
    std::string value = text(name);
    if (std::ranges::find(choices, value) == choices.end())
      problem(name, fmt::format("must be {}", fmt::join(choices, " or ")));
    return value;
  }

 private:
  static const Setting& row(std::string_view name) {
    const Setting* found = find_setting(name);
    assert(found);
    return *found;
  }

  const Lookup& lookup_;
  std::vector<Problem>& problems_;
};

Database read_database(const Reader& reader) {
  if (const std::string url = reader.text("DATABASE_URL"); !url.empty()) return {{{"dbname", url}}};
  if (reader.text("DB_HOST").empty()) return {};
  constexpr std::pair<const char*, const char*> keywords[] = {{"host", "DB_HOST"},
                                                              {"port", "DB_PORT"},
                                                              {"dbname", "DB_NAME"},
                                                              {"user", "DB_USER"},
                                                              {"password", "DB_PASSWORD"}};
  Database database;
  for (const auto& [keyword, name] : keywords) {
    if (std::string value = reader.text(name); !value.empty()) database.options.emplace_back(keyword, value);
  }
  reader.number("DB_PORT");
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

void read_quarantine(const Reader& reader, Config& config) {
  constexpr const char* days = "SOCIALSYNC_QUARANTINE_DAYS";
  config.quarantine.days = reader.days(days);
  if (config.retention_days && config.quarantine.days > config.retention_days)
    reader.problem(days, "must not be more than SOCIALSYNC_RETENTION_DAYS, which also ends the quarantine");
  if (!config.quarantine.days) config.quarantine.days = config.retention_days;
  config.quarantine.rows_max = reader.number("SOCIALSYNC_QUARANTINE_ROWS_MAX").value_or(0);
  config.quarantine.bytes_max = reader.number("SOCIALSYNC_QUARANTINE_BYTES_MAX").value_or(0);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// SCHEME://[USER:PASSWORD@]HOST[:PORT][/]. libcurl checks the rest when it is used.
bool is_proxy_url(std::string_view url) {
  constexpr std::array<std::string_view, 3> schemes = {"http://", "https://", "socks5h://"};
  const auto scheme = std::ranges::find_if(schemes, [&](auto prefix) { return url.starts_with(prefix); });
  if (scheme == schemes.end() || !is_printable(url)) return false;
  url.remove_prefix(scheme->size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t at = url.rfind('@');
  const std::string_view host = at == std::string_view::npos ? url : url.substr(at + 1);
  return !host.empty() && !host.starts_with(':') && host.find_first_of("/?#") == std::string_view::npos;
}

void read_egress(const Reader& reader, Egress& egress) {
  constexpr const char* allow = "SOCIALSYNC_EGRESS_ALLOW";
  constexpr const char* proxy = "SOCIALSYNC_EGRESS_PROXY";
  egress.allowed = reader.list(allow);
  for (const std::string& text : egress.allowed) {
    const auto cidr = net::Cidr::parse(text);
    if (cidr.has_error()) reader.problem(allow, fmt::format("{} {}", text, net::to_string(cidr.error())));
  }
  egress.http = reader.flag("SOCIALSYNC_EGRESS_HTTP");
  egress.proxy = reader.text(proxy);
  if (!egress.proxy.empty() && !is_proxy_url(egress.proxy))
    reader.problem(
        proxy,
        "must be the URL of a proxy: http://HOST:PORT, https://HOST:PORT or socks5h://HOST:PORT, with "
        "USER:PASSWORD@ before the host if the proxy requires them");
}

std::string default_data_dir(const Lookup& lookup) {
  if (geteuid() == 0) return "/var/lib/socialsync";
  if (const std::string data = lookup("XDG_DATA_HOME").value_or(""); !data.empty())
    return data + "/socialsync";
  return lookup("HOME").value_or("") + "/.local/share/socialsync";
}

void refuse_unknown(const Reader& reader, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name.starts_with(our_prefix) && !find_setting(name))
      reader.problem(name, "is not a setting of this program");
  }
}

// The process's environment and, behind it, `.env` in the working directory.
class Environment {
 public:
  Environment() {
    std::ifstream file(".env");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    dotenv_ = parse_dotenv(text);
  }

  std::optional<std::string> find(std::string_view name, Origin& origin) const {
    const std::string key(name);
    origin = Origin::environment;
    if (const char* value = std::getenv(key.c_str())) return value;
    const auto found = dotenv_.find(key);
    origin = found == dotenv_.end() ? Origin::standard : Origin::dotenv;
    return found == dotenv_.end() ? std::nullopt : std::optional(found->second);
  }

  Lookup lookup() const {
    return [this](std::string_view name) {
      Origin ignored{};
      return find(name, ignored);
    };
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (char** entry = environ; *entry; ++entry) {
      const std::string_view assignment(*entry);
      names.emplace_back(assignment.substr(0, assignment.find('=')));
    }
    for (const auto& [name, value] : dotenv_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, std::string> dotenv_;
};

}  // namespace

Loaded load(const Lookup& lookup, const std::vector<std::string>& names) {
  Loaded loaded;
  Config& config = loaded.config;
  const Reader reader(lookup, loaded.problems);
  config.database = read_database(reader);
  read_platforms(reader, config);
  read_listen(reader, config);
  config.data_dir = reader.text("SOCIALSYNC_DATA_DIR");
  if (config.data_dir.empty()) config.data_dir = default_data_dir(lookup);
  config.data_dir = std::filesystem::absolute(config.data_dir).lexically_normal().string();
  config.developer = reader.flag("SOCIALSYNC_DEV");
  config.retention_days = reader.days("SOCIALSYNC_RETENTION_DAYS");
  read_quarantine(reader, config);
  config.log_json = reader.choice("SOCIALSYNC_LOG") == "json";
  config.log_debug = reader.choice("SOCIALSYNC_LOG_LEVEL") == "debug";
  config.secrets = read_secrets_at_rest(lookup, loaded.problems);
  read_egress(reader, config.egress);
  refuse_unknown(reader, names);
  return loaded;
}

Loaded load_from_environment() {
  const Environment environment;
  return load(environment.lookup(), environment.names());
}

std::vector<CurrentSetting> current_settings() {
  const Environment environment;
  std::vector<CurrentSetting> current;
  for (const Setting& setting : settings()) {
    Origin origin{};
    std::string value = environment.find(setting.name, origin).value_or("");
    if (value.empty()) {
      origin = Origin::standard;
      value =
          setting.name == "SOCIALSYNC_DATA_DIR" ? default_data_dir(environment.lookup()) : setting.standard;
    }
    current.push_back({.setting = &setting,
                       .value = value.empty() ? std::nullopt : std::optional(shown(setting, value)),
                       .origin = origin});
  }
  return current;
}

bool is_colour_unwanted() {
  const char* value = std::getenv("NO_COLOR");
  return value && *value;
}

}  // namespace socialsync::config
