#include "config/settings.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"

namespace socialsync::config {
namespace {

std::string shown_url(std::string_view url) { return shown(*find_setting("DATABASE_URL"), url); }

TEST_CASE("settings: the defaults are valid") {
  const auto nothing = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
  CHECK(load(nothing, {}).problems.empty());
}

TEST_CASE("settings: each has a name of its own and a help") {
  for (const Setting& setting : settings()) {
    CHECK(find_setting(setting.name) == &setting);
    CHECK_FALSE(setting.help.empty());
  }
  CHECK(find_setting("SOCIALSYNC_LISTN") == nullptr);
}

TEST_CASE("settings: whatever is called a secret, token or password is shown as dots") {
  for (const Setting& setting : settings()) {
    const auto contains = [&](std::string_view part) {
      return setting.name.find(part) != std::string_view::npos;
    };
    const bool is_secret = contains("_SECRET") || contains("TOKEN") || contains("PASSWORD");
    const bool is_about_secrets = setting.name.ends_with("_FILE") || setting.name.ends_with("_SEAL");
    if (!is_secret || is_about_secrets) continue;
    CHECK_MESSAGE(shown(setting, "hunter2") == "••••••••", setting.name);
    CHECK_MESSAGE(shown(setting, "a long secret") == "••••••••", setting.name);
  }
}

TEST_CASE("settings: other values are shown as they are") {
  CHECK(shown(*find_setting("SOCIALSYNC_LISTEN"), "[::1]:80") == "[::1]:80");
  CHECK(shown(*find_setting("SOCIALSYNC_SECRETS_KEY_FILE"), "/etc/key") == "/etc/key");
}

TEST_CASE("settings: URLs are shown without password and query") {
  CHECK(shown_url("postgresql://me:hunter2@db:5432/shop") == "postgresql://me:••••••••@db:5432/shop");
  CHECK(shown_url("postgresql://me@db/shop") == "postgresql://me@db/shop");
  CHECK(shown_url("postgresql://db:5432/shop") == "postgresql://db:5432/shop");
  CHECK(shown_url("postgresql://db/shop?password=hunter2") == "postgresql://db/shop?••••••••");
  CHECK(shown_url("http://me:a/b@c@proxy:3128") == "http://me:••••••••@proxy:3128");
  CHECK(shown_url("postgresql://me:hun?ter2@db/shop") == "postgresql://••••••••");
  CHECK(shown_url("postgresql://db/shop?password=hunter@2") == "postgresql://••••••••");
  CHECK(shown_url("host=db password=hunter2") == "••••••••");
}

}  // namespace
}  // namespace socialsync::config
