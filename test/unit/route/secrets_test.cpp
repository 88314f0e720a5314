#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "route/directory.hpp"
#include "unit/route/accounts.hpp"

namespace socialsync::route {
namespace {

using model::Account;
using model::Event;
using model::Platform;
using test::account;
using test::event;
using test::instagram;
using test::messenger;
using test::whatsapp;

using Names = std::vector<std::string>;

// The secrets of the environment are "wa", "ig" and "ms"; the second one of Instagram is that of WhatsApp.
const SharedSecrets of_environment{.whatsapp = {"wa"}, .instagram = {"ig", "wa"}, .messenger = {"ms"}};

Account with_secrets(Account made, Names secrets) {
  made.app_secrets = std::move(secrets);
  return made;
}

SecretIndex place_of(const Directory& directory, const std::string& secret) {
  const auto at = std::ranges::find(directory.secrets(), secret);
  REQUIRE_MESSAGE(at != directory.secrets().end(), secret);
  return static_cast<SecretIndex>(at - directory.secrets().begin());
}

// The number of the account that gets the event of a body signed under this secret, or the refusal.
std::string found(const Directory& directory, const Event& event, const std::string& signed_under) {
  const SecretIndex secret = place_of(directory, signed_under);
  return test::found(directory, event, {.secrets = std::span(&secret, 1)});
}

Names candidates(const Directory& directory, const Event& event) {
  std::vector<SecretIndex> places;
  directory.add_candidates(event, places);
  Names names;
  for (const SecretIndex place : places) names.push_back(directory.secrets()[place]);
  return names;
}

TEST_CASE("secrets: each is kept once, those of the environment first") {
  const Directory directory({with_secrets(whatsapp(1, "111"), {"own", "wa", "own"}),
                             with_secrets(whatsapp(2, "222"), {"own"}), instagram(3, "333")},
                            of_environment);
  CHECK(directory.secrets() == Names{"wa", "ig", "ms", "own"});
  CHECK(directory.shared_secret_count() == 3);
}

TEST_CASE("secrets: an account's own stand instead of the environment's") {
  const Directory directory({with_secrets(whatsapp(1, "111"), {"own"})}, of_environment);
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "own") == "1");
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "wa") == "secret_mismatch");
  CHECK(candidates(directory, event(Platform::whatsapp, "", "111")) == Names{"own"});
}

TEST_CASE("secrets: an account without its own has those of its platform") {
  const Directory directory({whatsapp(1, "111"), instagram(2, "222"), messenger(3, "333")}, of_environment);
  CHECK(candidates(directory, event(Platform::whatsapp, "", "111")) == Names{"wa"});
  CHECK(candidates(directory, event(Platform::instagram, "222")) == Names{"ig", "wa"});
  CHECK(candidates(directory, event(Platform::messenger, "333")) == Names{"ms"});
  CHECK(found(directory, event(Platform::instagram, "222"), "wa") == "2");
  CHECK(found(directory, event(Platform::instagram, "222"), "ms") == "secret_mismatch");
}

TEST_CASE("secrets: while one is rotated, the old and the new one count") {
  const Directory directory({with_secrets(whatsapp(1, "111"), {"new", "old"})}, of_environment);
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "new") == "1");
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "old") == "1");
}

TEST_CASE("secrets: another tenant's secret opens nothing here") {
  const Directory directory(
      {with_secrets(whatsapp(1, "111"), {"of one"}), with_secrets(whatsapp(2, "222"), {"of two"})},
      of_environment);
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "of two") == "secret_mismatch");
  CHECK(found(directory, event(Platform::whatsapp, "", "333"), "of two") == "unknown_account");
}

TEST_CASE("secrets: no secret at all accepts nothing") {
  const Directory directory({whatsapp(1, "111"), with_secrets(whatsapp(2, "222"), {"own"})}, {});
  CHECK(candidates(directory, event(Platform::whatsapp, "", "111")).empty());
  CHECK(found(directory, event(Platform::whatsapp, "", "111"), "own") == "secret_mismatch");
  CHECK(test::found(directory, event(Platform::whatsapp, "", "111"), {}) == "secret_mismatch");
}

// Two users connected the same Instagram account through apps of their own: each app's webhooks are its own.
TEST_CASE("secrets: tell apart the users who share a key") {
  const Directory directory({with_secrets(account(1, Platform::instagram, "77"), {"of one"}),
                             with_secrets(account(2, Platform::instagram, "77"), {"of two"})},
                            of_environment);
  CHECK(found(directory, event(Platform::instagram, "77"), "of one") == "1");
  CHECK(found(directory, event(Platform::instagram, "77"), "of two") == "2");
  CHECK(candidates(directory, event(Platform::instagram, "77")) == Names{"of one", "of two"});
}

TEST_CASE("secrets: a better match under another secret does not give way") {
  const Directory directory({with_secrets(instagram(1, "77"), {"of one"}),
                             with_secrets(account(2, Platform::instagram, "77"), {"of two"})},
                            of_environment);
  CHECK(found(directory, event(Platform::instagram, "77"), "of two") == "secret_mismatch");
}

TEST_CASE("secrets: an account that is switched inactive, under its own secret, tells more than a mismatch") {
  Account inactive = with_secrets(account(1, Platform::instagram, "77"), {"of one"});
  inactive.active = false;
  const Directory directory({inactive, with_secrets(account(2, Platform::instagram, "77"), {"of two"})},
                            of_environment);
  CHECK(found(directory, event(Platform::instagram, "77"), "of one") == "inactive_account");
}

TEST_CASE("secrets: candidates are added to those there are, without doubles") {
  const Directory directory({whatsapp(1, "111"), with_secrets(whatsapp(2, "222"), {"own", "wa"})},
                            of_environment);
  std::vector<SecretIndex> places;
  directory.add_candidates(event(Platform::whatsapp, "", "111"), places);
  directory.add_candidates(event(Platform::whatsapp, "", "222"), places);
  directory.add_candidates(event(Platform::whatsapp, "", "333"), places);
  CHECK(places == std::vector<SecretIndex>{place_of(directory, "wa"), place_of(directory, "own")});
}

TEST_CASE("secrets: a developer's unsigned body needs none, but an active account") {
  const Signers anybody{.secrets = {}, .any_account = true};
  Account inactive = whatsapp(2, "222");
  inactive.active = false;
  const Directory directory({with_secrets(whatsapp(1, "111"), {"own"}), inactive}, of_environment);
  CHECK(test::found(directory, event(Platform::whatsapp, "", "111"), anybody) == "1");
  CHECK(test::found(directory, event(Platform::whatsapp, "", "222"), anybody) == "inactive_account");
}

TEST_CASE("secrets: a secret that cannot be read is not replaced by the environment's") {
  Account sealed = whatsapp(1, "111");
  sealed.has_unreadable_secret = true;
  const Directory directory({sealed, whatsapp(2, "222")}, of_environment);
  CHECK(found(directory, event(Platform::whatsapp, "9", "111"), "wa") == "secret_mismatch");
  CHECK(found(directory, event(Platform::whatsapp, "9", "222"), "wa") == "2");
  CHECK(candidates(directory, event(Platform::whatsapp, "9", "111")).empty());
}

}  // namespace
}  // namespace socialsync::route
