#include "config/secrets.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

namespace socialsync::config {
namespace {

using Settings = std::map<std::string, std::string>;
using Names = std::vector<std::string>;

const std::string first(64, '1'), second(64, '2');
const std::string first_id = crypto::parse_secret_key(first)->id();
const std::string second_id = crypto::parse_secret_key(second)->id();

struct Read {
  SecretsAtRest secrets;
  std::vector<Problem> problems;

  // The only problem's setting and message.
  std::string problem() const {
    if (problems.size() != 1) return std::to_string(problems.size()) + " problems";
    return problems.front().setting + ": " + problems.front().message;
  }
};

Read read(const Settings& settings) {
  const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? std::nullopt : std::optional(found->second);
  };
  Read result;
  result.secrets = read_secrets_at_rest(lookup, result.problems);
  return result;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A folder of its own, with files of given rights.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "secrets-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name, const std::string& text, unsigned rights) const {
    const std::filesystem::path path = path_ / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms(rights));
    return path.string();
  }

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST_CASE("config: without a key no column is encrypted") {
  const Read none = read({});
  CHECK(none.secrets.keys.empty());
  CHECK(none.secrets.sealed_columns.empty());
  CHECK(none.problems.empty());
  CHECK(read({{"SOCIALSYNC_SECRETS_KEY", ""}, {"SOCIALSYNC_SECRETS_KEY_FILE", ""}}).problems.empty());
}

TEST_CASE("config: keys, the newest first") {
  const Read both = read({{"SOCIALSYNC_SECRETS_KEY", first + ", " + second}});
  CHECK(both.problems.empty());
  CHECK(both.secrets.keys.ids() == Names{first_id, second_id});
}

TEST_CASE("config: a key of the wrong length is told by its place, never by its value") {
  for (const std::string& wrong : {std::string("hunter2"), std::string(62, 'a'), first + "1"}) {
    const Read bad = read({{"SOCIALSYNC_SECRETS_KEY", first + "," + wrong}});
    CHECK(contains(bad.problem(), "SOCIALSYNC_SECRETS_KEY: key 2 of 2"));
    CHECK_FALSE(contains(bad.problem(), wrong));
    CHECK_FALSE(contains(bad.problem(), first));
  }
  CHECK(contains(read({{"SOCIALSYNC_SECRETS_KEY", " , "}}).problem(), "holds no key"));
}

TEST_CASE("config: a file of keys, one a line") {
  const Folder folder;
  const std::string path = folder.file("keys", second + "\r\n" + first + "\n\n", 0600);
  const Read read_file = read({{"SOCIALSYNC_SECRETS_KEY_FILE", path}});
  CHECK(read_file.problems.empty());
  CHECK(read_file.secrets.keys.ids() == Names{second_id, first_id});
}

TEST_CASE("config: a file that others can read, or change, is refused") {
  const Folder folder;
  for (const unsigned rights : {0604U, 0644U, 0602U, 0601U, 0620U, 0660U})
    CHECK(contains(read({{"SOCIALSYNC_SECRETS_KEY_FILE", folder.file("keys", first, rights)}}).problem(),
                   "SOCIALSYNC_SECRETS_KEY_FILE: others may read the file"));
  for (const unsigned rights : {0400U, 0600U, 0440U, 0640U})
    CHECK(read({{"SOCIALSYNC_SECRETS_KEY_FILE", folder.file("keys", first, rights)}}).problems.empty());
  for (const std::string& path : {folder.path(), folder.path() + "/none"})
    CHECK(contains(read({{"SOCIALSYNC_SECRETS_KEY_FILE", path}}).problem(), "SOCIALSYNC_SECRETS_KEY_FILE: "));
  CHECK(contains(read({{"SOCIALSYNC_SECRETS_KEY_FILE", folder.file("empty", "\n", 0600)}}).problem(),
                 "holds no key"));
}

TEST_CASE("config: systemd's credential is read when it exists") {
  const Folder folder;
  CHECK(read({{"CREDENTIALS_DIRECTORY", folder.path()}}).secrets.keys.empty());
  folder.file("socialsync-secrets-key", first + "\n", 0440);
  CHECK(read({{"CREDENTIALS_DIRECTORY", folder.path()}}).secrets.keys.ids() == Names{first_id});
}

TEST_CASE("config: only one place may hold keys") {
  const Folder folder;
  const std::string path = folder.file("socialsync-secrets-key", first, 0600);
  const Settings key{{"SOCIALSYNC_SECRETS_KEY", first}};
  Settings settings = key;
  settings["SOCIALSYNC_SECRETS_KEY_FILE"] = path;
  CHECK(contains(read(settings).problem(),
                 "SOCIALSYNC_SECRETS_KEY: is given, and so is SOCIALSYNC_SECRETS_KEY_FILE"));
  settings = key;
  settings["CREDENTIALS_DIRECTORY"] = folder.path();
  CHECK(contains(read(settings).problem(), "SOCIALSYNC_SECRETS_KEY: is given, and so is the credential"));
}

TEST_CASE("config: columns that are encrypted on arrival") {
  const auto columns = [](const std::string& value) {
    return read({{"SOCIALSYNC_SECRETS_KEY", first}, {"SOCIALSYNC_SECRETS_SEAL", value}})
        .secrets.sealed_columns;
  };
  CHECK(columns("1") == Names{"app_secret", "verify_token", "access_token", "refresh_token",
                              "endpoints.app_secret", "endpoints.signing_secret",
                              "endpoints.previous_signing_secret"});
  CHECK(columns("app_secret, endpoints.app_secret") == Names{"app_secret", "endpoints.app_secret"});
  for (const char* off : {"", "0", "false"}) CHECK(columns(off).empty());
  for (const char* bad : {"yes", "app_secret,email", ","})
    CHECK(contains(read({{"SOCIALSYNC_SECRETS_KEY", first}, {"SOCIALSYNC_SECRETS_SEAL", bad}}).problem(),
                   "SOCIALSYNC_SECRETS_SEAL: must be"));
  CHECK(contains(read({{"SOCIALSYNC_SECRETS_SEAL", "1"}}).problem(), "SOCIALSYNC_SECRETS_SEAL: needs a key"));
}

}  // namespace
}  // namespace socialsync::config
