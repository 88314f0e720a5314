#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "config/config.hpp"

namespace socialsync::config {
namespace {

using Settings = std::map<std::string, std::string>;
using Options = std::vector<std::pair<std::string, std::string>>;
using Secrets = std::vector<std::string>;

Loaded load_from(const Settings& settings) {
  std::vector<std::string> names;
  for (const auto& [name, value] : settings) names.push_back(name);
  const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? std::nullopt : std::optional(found->second);
  };
  return load(lookup, names);
}

Config config_from(const Settings& settings) {
  Loaded loaded = load_from(settings);
  for (const Problem& problem : loaded.problems) FAIL_CHECK(problem.setting << ": " << problem.message);
  return std::move(loaded.config);
}

// The setting that the only problem names.
std::string problem_with(const Settings& settings) {
  const Loaded loaded = load_from(settings);
  if (loaded.problems.size() != 1) return std::to_string(loaded.problems.size()) + " problems";
  return loaded.problems.front().setting;
}

TEST_CASE("config: defaults") {
  const Config config = config_from({});
  CHECK_FALSE(config.database.given());
  CHECK(config.listen_host == "127.0.0.1");
  CHECK(config.listen_port == 8000);
  CHECK_FALSE(config.developer);
  CHECK_FALSE(config.retention_days);
  CHECK_FALSE(config.log_json);
  CHECK_FALSE(config.log_debug);
  CHECK(config.whatsapp.app_secrets.empty());
  CHECK(config.whatsapp.verify_token == "");
  CHECK(config.data_dir.starts_with("/"));
}

TEST_CASE("config: a URL names the database, before the single settings") {
  const Config config = config_from({{"DATABASE_URL", "postgres://u@h/d"}, {"DB_HOST", "other"}});
  CHECK(config.database.options == Options{{"dbname", "postgres://u@h/d"}});
}

TEST_CASE("config: the single settings name the database once there is a host") {
  const Config full = config_from({{"DB_HOST", "db.example"},
                                   {"DB_PORT", "5433"},
                                   {"DB_NAME", "shop"},
                                   {"DB_USER", "me"},
                                   {"DB_PASSWORD", "p w"}});
  CHECK(
      full.database.options ==
      Options{
          {"host", "db.example"}, {"port", "5433"}, {"dbname", "shop"}, {"user", "me"}, {"password", "p w"}});
  CHECK(config_from({{"DB_HOST", "h"}}).database.options == Options{{"host", "h"}});
  CHECK_FALSE(config_from({{"DB_HOST", ""}, {"DATABASE_URL", ""}, {"DB_NAME", "d"}}).database.given());
}

TEST_CASE("config: Meta's app secret stands behind all platforms, Instagram's beside it") {
  const Config config =
      config_from({{"META_APP_SECRET", " new , old "}, {"INSTAGRAM_APP_SECRET", "instagram login"}});
  CHECK(config.whatsapp.app_secrets == Secrets{"new", "old"});
  CHECK(config.messenger.app_secrets == Secrets{"new", "old"});
  CHECK(config.instagram.app_secrets == Secrets{"new", "old", "instagram login"});
  CHECK(config_from({{"INSTAGRAM_APP_SECRET", "i"}}).whatsapp.app_secrets.empty());
}

TEST_CASE("config: single-tenant settings") {
  const Config config = config_from({{"WHATSAPP_ACCESS_TOKEN", "wa"},
                                     {"WHATSAPP_PHONE_NUMBER_ID", "wp"},
                                     {"WHATSAPP_VERIFY_TOKEN", "wv"},
                                     {"INSTAGRAM_ACCESS_TOKEN", "ia"},
                                     {"INSTAGRAM_PAGE_ID", "ip"},
                                     {"INSTAGRAM_VERIFY_TOKEN", "iv"}});
  CHECK(config.whatsapp.access_token == "wa");
  CHECK(config.whatsapp.account_key == "wp");
  CHECK(config.whatsapp.verify_token == "wv");
  CHECK(config.instagram.access_token == "ia");
  CHECK(config.instagram.account_key == "ip");
  CHECK(config.instagram.verify_token == "iv");
}

TEST_CASE("config: addresses to listen on") {
  struct Case {
    std::string_view text, host;
    int port;
  };
  for (const Case& expected : {Case{"0.0.0.0:80", "0.0.0.0", 80}, Case{"localhost:9000", "localhost", 9000},
                               Case{"[::1]:80", "::1", 80}, Case{"[::]:65535", "::", 65535},
                               Case{"9000", "127.0.0.1", 9000}, Case{"127.0.0.1:0", "127.0.0.1", 0}}) {
    const Config config = config_from({{"SOCIALSYNC_LISTEN", std::string(expected.text)}});
    CHECK_MESSAGE(config.listen_host == expected.host, expected.text);
    CHECK_MESSAGE(config.listen_port == expected.port, expected.text);
  }
  CHECK(config_from({{"SOCIALSYNC_LISTEN", ""}}).listen_port == 8000);
}

TEST_CASE("config: what is no address and port is refused") {
  for (const std::string text :
       {"localhost", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80x", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1: 80", "[::1]", "::1", ":8000", "[]:80", "[::1:80", "::1]:80", " "})
    CHECK_MESSAGE(problem_with({{"SOCIALSYNC_LISTEN", text}}) == "SOCIALSYNC_LISTEN", text);
}

TEST_CASE("config: flags and choices") {
  for (const std::string on : {"1", "true"}) CHECK(config_from({{"SOCIALSYNC_DEV", on}}).developer);
  for (const std::string off : {"", "0", "false"})
    CHECK_FALSE(config_from({{"SOCIALSYNC_DEV", off}}).developer);
  CHECK(problem_with({{"SOCIALSYNC_DEV", "yes"}}) == "SOCIALSYNC_DEV");
  CHECK(config_from({{"SOCIALSYNC_LOG", "json"}}).log_json);
  CHECK_FALSE(config_from({{"SOCIALSYNC_LOG", "text"}}).log_json);
  CHECK(problem_with({{"SOCIALSYNC_LOG", "JSON"}}) == "SOCIALSYNC_LOG");
  CHECK(config_from({{"SOCIALSYNC_LOG_LEVEL", "debug"}}).log_debug);
  CHECK_FALSE(config_from({{"SOCIALSYNC_LOG_LEVEL", "info"}}).log_debug);
  CHECK(problem_with({{"SOCIALSYNC_LOG_LEVEL", "trace"}}) == "SOCIALSYNC_LOG_LEVEL");
}

TEST_CASE("config: retention is a whole number of days") {
  CHECK(config_from({{"SOCIALSYNC_RETENTION_DAYS", "1"}}).retention_days == 1);
  CHECK(config_from({{"SOCIALSYNC_RETENTION_DAYS", "36500"}}).retention_days == 36'500);
  CHECK_FALSE(config_from({{"SOCIALSYNC_RETENTION_DAYS", ""}}).retention_days);
  for (const std::string text : {"0", "-1", "36501", "7d", "7.5", " 7", "99999999999999999999"})
    CHECK_MESSAGE(problem_with({{"SOCIALSYNC_RETENTION_DAYS", text}}) == "SOCIALSYNC_RETENTION_DAYS", text);
}

TEST_CASE("config: the quarantine is kept until its cap, and no longer than the events") {
  CHECK_FALSE(config_from({}).quarantine.days);
  CHECK(config_from({{"SOCIALSYNC_RETENTION_DAYS", "90"}}).quarantine.days == 90);
  CHECK(config_from({{"SOCIALSYNC_QUARANTINE_DAYS", "7"}}).quarantine.days == 7);
  const Settings shorter = {{"SOCIALSYNC_RETENTION_DAYS", "90"}, {"SOCIALSYNC_QUARANTINE_DAYS", "30"}};
  CHECK(config_from(shorter).quarantine.days == 30);
  CHECK(problem_with({{"SOCIALSYNC_RETENTION_DAYS", "30"}, {"SOCIALSYNC_QUARANTINE_DAYS", "31"}}) ==
        "SOCIALSYNC_QUARANTINE_DAYS");
}

TEST_CASE("config: the quarantine's cap") {
  CHECK(config_from({}).quarantine.rows_max == 1'000'000);
  CHECK(config_from({}).quarantine.bytes_max == 2'147'483'648);
  CHECK(config_from({{"SOCIALSYNC_QUARANTINE_ROWS_MAX", "5"}}).quarantine.rows_max == 5);
  CHECK(config_from({{"SOCIALSYNC_QUARANTINE_BYTES_MAX", "9000000000"}}).quarantine.bytes_max ==
        9'000'000'000);
  for (const std::string text : {"0", "-1", "2GiB", "99999999999999999999"})
    CHECK_MESSAGE(
        problem_with({{"SOCIALSYNC_QUARANTINE_BYTES_MAX", text}}) == "SOCIALSYNC_QUARANTINE_BYTES_MAX", text);
}

TEST_CASE("config: the data directory becomes absolute") {
  CHECK(config_from({{"SOCIALSYNC_DATA_DIR", "/a/./b/../c"}}).data_dir == "/a/c");
  CHECK(config_from({{"SOCIALSYNC_DATA_DIR", "here"}}).data_dir.ends_with("/here"));
  CHECK(config_from({{"SOCIALSYNC_DATA_DIR", "here"}}).data_dir.starts_with("/"));
}

TEST_CASE("config: names that mean nothing here are refused") {
  CHECK(problem_with({{"SOCIALSYNC_LISTN", "1"}}) == "SOCIALSYNC_LISTN");
  CHECK(problem_with({{"SOCIALSYNC_", ""}}) == "SOCIALSYNC_");
  CHECK(load_from({{"PATH", "/bin"}, {"socialsync_listen", "x"}, {"MY_SOCIALSYNC_X", "1"}}).problems.empty());
}

TEST_CASE("config: deliveries reach what is public, over https, unless told otherwise") {
  CHECK(config_from({}).egress.allowed.empty());
  CHECK_FALSE(config_from({}).egress.http);
  CHECK(config_from({}).egress.proxy == "");
  const Config config = config_from({{"SOCIALSYNC_EGRESS_ALLOW", "10.0.0.0/8, fd00::/8,192.168.1.7"},
                                     {"SOCIALSYNC_EGRESS_HTTP", "1"},
                                     {"SOCIALSYNC_EGRESS_PROXY", "socks5h://me:p@proxy.example:1080"}});
  CHECK(config.egress.allowed == Secrets{"10.0.0.0/8", "fd00::/8", "192.168.1.7"});
  CHECK(config.egress.http);
  CHECK(config.egress.proxy == "socks5h://me:p@proxy.example:1080");
}

TEST_CASE("config: a network that cannot be is named, and why") {
  const Loaded loaded = load_from({{"SOCIALSYNC_EGRESS_ALLOW", "10.0.0.0/8,10.0.0.1/8,here"}});
  CHECK(loaded.problems.size() == 2);
  CHECK(loaded.problems.front().message == "10.0.0.1/8 has bits beyond its prefix");
  CHECK(loaded.problems.back().message.starts_with("here is not an address"));
}

TEST_CASE("config: proxies are URLs of three kinds") {
  for (const std::string url :
       {"http://proxy:3128", "https://me:p/w@proxy/", "socks5h://[fd00::1]:1080", "http://proxy"})
    CHECK_MESSAGE(config_from({{"SOCIALSYNC_EGRESS_PROXY", url}}).egress.proxy == url, url);
  for (const std::string url : {"proxy:3128", "socks5://proxy", "http://", "http://me@", "http://:80",
                                "http://proxy/path", "http://proxy?x", "http://pro xy", "http://proxy\n"})
    CHECK_MESSAGE(problem_with({{"SOCIALSYNC_EGRESS_PROXY", url}}) == "SOCIALSYNC_EGRESS_PROXY", url);
}

TEST_CASE("config: all problems are told, and none repeats a value") {
  const std::string secret = "hunter2";
  const Loaded loaded = load_from({{"SOCIALSYNC_LISTEN", secret},
                                   {"SOCIALSYNC_DEV", secret},
                                   {"SOCIALSYNC_RETENTION_DAYS", secret},
                                   {"SOCIALSYNC_LOG", secret},
                                   {"SOCIALSYNC_LOG_LEVEL", secret},
                                   {"SOCIALSYNC_SECRETS_KEY", secret},
                                   {"SOCIALSYNC_EGRESS_HTTP", secret},
                                   {"SOCIALSYNC_EGRESS_PROXY", "ftp://me:" + secret + "@proxy"},
                                   {"SOCIALSYNC_APP_SECRET", secret}});
  CHECK(loaded.problems.size() == 9);
  for (const Problem& problem : loaded.problems) {
    CHECK(problem.setting.starts_with("SOCIALSYNC_"));
    CHECK(problem.message.find(secret) == std::string::npos);
    CHECK_FALSE(problem.message.empty());
  }
}

}  // namespace
}  // namespace socialsync::config
