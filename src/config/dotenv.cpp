#include "config/dotenv.hpp"

#include <algorithm>

namespace socialsync::config {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string double_quoted(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    const bool is_escape = next == 'n' || next == '"' || next == '\\';
    if (is_escape) ++i;
    value.push_back(is_escape && next == 'n' ? '\n' : text[i]);
  }
  return value;
}

std::string bare(std::string_view text) {
  // A # inside a word is part of it.
  const std::size_t comment = std::min(text.find(" #"), text.find("\t#"));
  return std::string(trimmed(text.substr(0, comment)));
}

std::string value_of(std::string_view text) {
  if (text.starts_with('"')) return double_quoted(text.substr(1));
  if (text.starts_with('\'')) return std::string(text.substr(1, text.find('\'', 1) - 1));
  if (text.starts_with('#')) return {};
  return bare(text);
}

bool is_name(std::string_view text) {
  constexpr auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

std::map<std::string, std::string> parse_dotenv(std::string_view text) {
  std::map<std::string, std::string> settings;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    if (is_name(name)) settings[std::string(name)] = value_of(trimmed(line.substr(equals + 1)));
  }
  return settings;
}

}  // namespace socialsync::config
