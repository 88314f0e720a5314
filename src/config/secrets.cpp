#include "config/secrets.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "base/text.hpp"
#include "model/secret_columns.hpp"

namespace socialsync::config {
namespace {

constexpr const char* key_setting = "SOCIALSYNC_SECRETS_KEY";
constexpr const char* file_setting = "SOCIALSYNC_SECRETS_KEY_FILE";
constexpr const char* seal_setting = "SOCIALSYNC_SECRETS_SEAL";
constexpr const char* credential_name = "socialsync-secrets-key";

// A source of keys: the setting's name for messages, and a file or the text itself.
struct Source {
  std::string setting;
  std::string path;  // empty: `text` has them
  std::string text;
  bool needs_check = true;  // systemd protects its credentials itself
};

std::vector<Source> sources_of(const Lookup& lookup) {
  std::vector<Source> sources;
  if (std::string text = lookup(key_setting).value_or(""); !text.empty())
    sources.push_back({.setting = key_setting, .path = {}, .text = std::move(text)});
  if (std::string path = lookup(file_setting).value_or(""); !path.empty())
    sources.push_back({.setting = file_setting, .path = std::move(path), .text = {}});
  if (const std::string folder = lookup("CREDENTIALS_DIRECTORY").value_or(""); !folder.empty()) {
    const std::string path = fmt::format("{}/{}", folder, credential_name);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored))
      sources.push_back({.setting = fmt::format("the credential {}", credential_name),
                         .path = path,
                         .text = {},
                         .needs_check = false});
  }
  return sources;
}

// Returns the reason that a file of keys is not trusted; empty: it is.
std::string fault_of(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return "the file it names cannot be read";
  if (!S_ISREG(status.st_mode)) return "it does not name a file";
  constexpr mode_t not_ours = S_IWGRP | S_IRWXO;
  if ((status.st_mode & not_ours) != 0)
    return "others may read the file it names, or its group may write it: chmod 600 (or 640) the file";
  return {};
}

// Returns the file's text with line ends as commas.
std::optional<std::string> read_keys_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ',');
  return text;
}

// Returns false and appends to `problems` if the file cannot be read.
bool load_text(Source& source, std::vector<Problem>& problems) {
  if (source.path.empty()) return true;
  if (std::string fault = source.needs_check ? fault_of(source.path) : ""; !fault.empty()) {
    problems.push_back({source.setting, std::move(fault)});
    return false;
  }
  std::optional<std::string> text = read_keys_file(source.path);
  if (text) source.text = std::move(*text);
  if (!text) problems.push_back({source.setting, "the file it names cannot be read"});
  return text.has_value();
}

crypto::SecretKeys keys_of(const Source& source, std::vector<Problem>& problems) {
  std::vector<crypto::SecretKey> keys;
  std::vector<std::string> entries = split_list(source.text);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const auto key = crypto::parse_secret_key(entries[i]))
      keys.push_back(*key);
    else
      problems.push_back(
          {source.setting, fmt::format("key {} of {} is not one of 32 bytes, as 64 hex digits or in base64: "
                                       "socialsync secrets key makes one",
                                       i + 1, entries.size())});
    crypto::wipe(entries[i]);
  }
  if (entries.empty()) problems.push_back({source.setting, "holds no key: socialsync secrets key makes one"});
  return crypto::SecretKeys(std::move(keys));
}

crypto::SecretKeys read_keys(const Lookup& lookup, std::vector<Problem>& problems) {
  std::vector<Source> sources = sources_of(lookup);
  crypto::SecretKeys keys;
  if (sources.size() > 1)
    problems.push_back(
        {sources[0].setting, fmt::format("is given, and so is {}: keep one of them", sources[1].setting)});
  else if (sources.size() == 1 && load_text(sources[0], problems))
    keys = keys_of(sources[0], problems);
  for (Source& source : sources) crypto::wipe(source.text);
  return keys;
}

std::vector<std::string> read_sealed_columns(const Lookup& lookup, std::vector<Problem>& problems) {
  const std::string value = lookup(seal_setting).value_or("");
  if (value.empty() || value == "0" || value == "false") return {};
  std::vector<std::string> known;
  for (const model::SecretColumn& column : model::secret_columns) known.emplace_back(column.name);
  if (value == "1" || value == "true") return known;
  std::vector<std::string> columns = split_list(value);
  const bool all_known = std::ranges::all_of(
      columns, [](const std::string& name) { return model::find_secret_column(name) != nullptr; });
  if (all_known && !columns.empty()) return columns;
  problems.push_back({seal_setting, fmt::format("must be 1, 0 or a list of {}", fmt::join(known, ", "))});
  return {};
}

}  // namespace

SecretsAtRest read_secrets_at_rest(const Lookup& lookup, std::vector<Problem>& problems) {
  const std::size_t problems_before = problems.size();
  SecretsAtRest secrets{.keys = read_keys(lookup, problems),
                        .sealed_columns = read_sealed_columns(lookup, problems)};
  const bool has_problem = problems.size() > problems_before;
  if (!secrets.sealed_columns.empty() && secrets.keys.empty() && !has_problem)
    problems.push_back(
        {seal_setting, fmt::format("needs a key for encryption: set {} or {}", key_setting, file_setting)});
  return secrets;
}

}  // namespace socialsync::config
