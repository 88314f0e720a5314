// The table of all settings, from settings.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::config {

struct Setting {
  enum class Kind { text, secret, url, flag, number, choice };
  // The values it may have.
  struct Values {
    Kind kind;
    std::uint64_t least = 0;  // numbers only
    std::uint64_t most = 0;
    std::string_view choices{};  // comma-separated
  };

  std::string_view name;
  Values values;
  std::string_view standard;  // the default; empty: unset
  std::string_view help;      // Markdown
};

// In the order of the guides.
std::span<const Setting> settings();

// Returns null when no setting has that name.
const Setting* find_setting(std::string_view name);

// Returns `value` as it may be shown: a secret as dots, a URL without its password and query.
std::string shown(const Setting& setting, std::string_view value);

enum class Origin { environment, dotenv, standard };

struct CurrentSetting {
  const Setting* setting = nullptr;
  std::optional<std::string> value;  // as it may be shown; nothing: unset and without default
  Origin origin = Origin::standard;
};

// Returns each setting as the process's environment and `.env` have it.
std::vector<CurrentSetting> current_settings();

}  // namespace socialsync::config
