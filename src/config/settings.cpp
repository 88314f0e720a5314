#include "config/settings.hpp"

#include <algorithm>

namespace socialsync::config {
namespace {

using Kind = Setting::Kind;

// The words of settings.def.
namespace values {
constexpr Setting::Values text{.kind = Kind::text};
constexpr Setting::Values secret{.kind = Kind::secret};
constexpr Setting::Values url{.kind = Kind::url};
constexpr Setting::Values flag{.kind = Kind::flag};
constexpr Setting::Values number(std::uint64_t least, std::uint64_t most) {
  return {.kind = Kind::number, .least = least, .most = most};
}
constexpr Setting::Values choice(std::string_view choices) {
  return {.kind = Kind::choice, .choices = choices};
}
}  // namespace values

constexpr Setting all_settings[] = {
#define SETTING(name, kind, standard, english, french) {#name, values::kind, standard, english},
#include "config/settings.def"
#undef SETTING
};

// As many whatever the value: its length is secret, too.
constexpr std::string_view dots = "••••••••";

std::string shown_url(std::string_view value) {
  const std::size_t scheme_end = value.find("://");
  if (scheme_end == std::string_view::npos) return std::string(dots);  // libpq's key=value form
  const std::size_t host_at = scheme_end + 3;
  const std::size_t query = value.find_first_of("?#", host_at);
  const bool is_query_unclear =
      query != std::string_view::npos && value.find('@', query) != std::string_view::npos;
  if (is_query_unclear) return std::string(value.substr(0, host_at)) + std::string(dots);
  std::string result(value.substr(0, query));
  if (query != std::string_view::npos) result += value[query] + std::string(dots);
  const std::size_t at = value.rfind('@');  // the last: a password may hold others
  const std::size_t colon = value.find(':', host_at);
  if (at != std::string_view::npos && colon < at) result.replace(colon + 1, at - colon - 1, dots);
  return result;
}

}  // namespace

std::span<const Setting> settings() { return all_settings; }

const Setting* find_setting(std::string_view name) {
  const auto* const found = std::ranges::find(all_settings, name, &Setting::name);
  return found == std::end(all_settings) ? nullptr : found;
}

std::string shown(const Setting& setting, std::string_view value) {
  if (setting.values.kind == Kind::secret) return std::string(dots);
  return setting.values.kind == Kind::url ? shown_url(value) : std::string(value);
}

}  // namespace socialsync::config
