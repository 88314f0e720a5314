#include "ingest/signer.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/route/accounts.hpp"

namespace socialsync::ingest {
namespace {

using model::Account;
using model::Event;
using model::Platform;
using route::test::event;
using route::test::whatsapp;

constexpr std::uint64_t plenty = 1'000'000'000;

// Account N has the number "N" and the secret "own N"; the environment has "shared".
std::shared_ptr<const Tenants> tenants_with_own_secrets(std::uint8_t count) {
  std::vector<Account> accounts;
  for (std::uint8_t number = 1; number <= count; ++number) {
    accounts.push_back(whatsapp(number, std::to_string(number)));
    accounts.back().app_secrets = {"own " + std::to_string(number)};
  }
  route::SharedSecrets shared;
  shared.whatsapp = {"shared"};
  return std::make_shared<Tenants>(route::Directory(std::move(accounts), shared));
}

Event to_number(const std::string& number) { return event(Platform::whatsapp, "900", number); }

crypto::Digest signed_under(const std::string& secret, std::string_view body) {
  return crypto::HmacKey(secret).sign(body);
}

// The secret that find_own() names, or why there is none.
std::string own_signer(SignerSearch& search, const Tenants& tenants, const std::string& secret,
                       const std::vector<Event>& events, std::string_view body = "body") {
  const auto found = search.find_own(tenants, signed_under(secret, body), body, events);
  if (found.has_value()) return tenants.directory.secrets()[*found];
  return found.error() == SignerError::busy ? "busy" : "unknown";
}

TEST_CASE("signer: the environment's secrets are found without looking into the body") {
  const auto tenants = tenants_with_own_secrets(2);
  SignerSearch search(plenty);
  const auto found = search.find_shared(*tenants, signed_under("shared", "body"), "body");
  REQUIRE(found);
  CHECK(tenants->directory.secrets()[*found] == "shared");
  CHECK_FALSE(search.find_shared(*tenants, signed_under("own 1", "body"), "body"));
  CHECK_FALSE(search.find_shared(*tenants, signed_under("shared", "body"), "body "));
}

TEST_CASE("signer: an account's own secret is found through its events") {
  const auto tenants = tenants_with_own_secrets(3);
  SignerSearch search(0);
  CHECK(own_signer(search, *tenants, "own 2", {to_number("2")}) == "own 2");
  CHECK(own_signer(search, *tenants, "own 3", {to_number("2"), to_number("3")}) == "own 3");
}

TEST_CASE("signer: a body under another tenant's secret, or an unreadable one, has its signer found too") {
  const auto tenants = tenants_with_own_secrets(3);
  SignerSearch search(plenty);
  CHECK(own_signer(search, *tenants, "own 3", {to_number("1")}) == "own 3");
  CHECK(own_signer(search, *tenants, "own 1", {}) == "own 1");
}

TEST_CASE("signer: no known secret signed the body") {
  const auto tenants = tenants_with_own_secrets(3);
  SignerSearch search(plenty);
  CHECK(own_signer(search, *tenants, "a stranger's", {to_number("1")}) == "unknown");
  CHECK(own_signer(search, *tenants, "a stranger's", {}) == "unknown");
}

TEST_CASE("signer: what strangers make us hash is bounded, what accounts send is not") {
  const auto tenants = tenants_with_own_secrets(3);
  const std::string body(1000, 'x');
  SignerSearch search(9'000);
  CHECK(own_signer(search, *tenants, "own 3", {to_number("1")}, body) == "own 3");
  CHECK(own_signer(search, *tenants, "a stranger's", {to_number("1")}, body) == "unknown");
  CHECK(own_signer(search, *tenants, "own 3", {to_number("1")}, body) == "busy");
  CHECK(own_signer(search, *tenants, "own 1", {to_number("1")}, body) == "own 1");
}

TEST_CASE("signer: a body of many tenants is no way around the bound") {
  const auto tenants = tenants_with_own_secrets(10);
  std::vector<Event> events;
  for (int number = 1; number <= 10; ++number) events.push_back(to_number(std::to_string(number)));
  SignerSearch search(0);
  CHECK(own_signer(search, *tenants, "own 1", events) == "own 1");
  CHECK(own_signer(search, *tenants, "own 10", events) == "busy");
}

TEST_CASE("signer: of ten thousand tenants on five hundred secrets only those that are named are asked") {
  std::vector<Account> accounts;
  for (std::size_t number = 0; number < 10'000; ++number) {
    accounts.push_back(whatsapp(1, std::to_string(number)));
    accounts.back().id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
    accounts.back().id.bytes[15] = static_cast<std::uint8_t>(number & 0xff);
    accounts.back().app_secrets = {"own " + std::to_string(number % 500)};
  }
  const Tenants tenants(route::Directory(std::move(accounts), {}));
  REQUIRE(tenants.directory.secrets().size() == 500);
  SignerSearch search(plenty);
  CHECK(own_signer(search, tenants, "own 77", {to_number("9577")}) == "own 77");
  CHECK(search.checks() == 1);
  CHECK(own_signer(search, tenants, "own 499", {to_number("499"), to_number("999"), to_number("1499")}) ==
        "own 499");
  CHECK(search.checks() == 2);
  CHECK(own_signer(search, tenants, "a stranger's", {to_number("3")}) == "unknown");
  CHECK(search.checks() == 502);
}

TEST_CASE("signer: only bodies with candidate secrets are split") {
  SignerSearch search(plenty);
  const auto nobody = search.may_split(*tenants_with_own_secrets(0), "body");
  REQUIRE(nobody.has_error());
  CHECK(nobody.error() == SignerError::unknown);
  CHECK(search.may_split(*tenants_with_own_secrets(1), "body").has_value());
}

TEST_CASE("signer: large bodies of strangers are split within the bound only") {
  const auto tenants = tenants_with_own_secrets(1);
  SignerSearch search(1'000'000);
  const std::string large(100'000, 'x');
  CHECK(search.may_split(*tenants, large).has_value());
  const auto second = search.may_split(*tenants, large);
  REQUIRE(second.has_error());
  CHECK(second.error() == SignerError::busy);
  CHECK(search.may_split(*tenants, std::string(1'000, 'x')).has_value());
}

}  // namespace
}  // namespace socialsync::ingest
