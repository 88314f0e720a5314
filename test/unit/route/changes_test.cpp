#include "route/changes.hpp"

#include <doctest/doctest.h>

#include "unit/route/accounts.hpp"

namespace socialsync::route {
namespace {

using model::Account;
using Keys = std::vector<std::string>;
using test::instagram;
using test::whatsapp;

const SharedSecrets one_secret{.whatsapp = {"shared"}, .instagram = {"shared"}, .messenger = {}};

Keys changed(std::vector<Account> before, std::vector<Account> after) {
  return changed_keys(Directory(std::move(before), one_secret), Directory(std::move(after), one_secret));
}

Account with(Account account, void (*change)(Account& account)) {
  change(account);
  return account;
}

TEST_CASE("changes: none where nothing that routes has changed") {
  CHECK(changed({whatsapp(1, "111", "900")}, {whatsapp(1, "111", "900")}).empty());
  CHECK(
      changed({whatsapp(1, "111"), instagram(2, "222")}, {instagram(2, "222"), whatsapp(1, "111")}).empty());
  CHECK(changed({whatsapp(1, "111")}, {with(whatsapp(1, "111"),
                                            [](Account& account) {
                                              account.verify_token = "t";
                                              account.webhook_events = Keys{"messages"};
                                            })})
            .empty());
}

TEST_CASE("changes: an account that comes, and one that goes") {
  CHECK(changed({}, {whatsapp(1, "111", "900")}) == Keys{"111", "900"});
  CHECK(changed({instagram(2, "222")}, {}) == Keys{"222", "account 2"});
}

TEST_CASE("changes: each that lets events through, or another account's") {
  const auto off = [](Account& account) { account.active = false; };
  const auto own_secret = [](Account& account) { account.app_secrets = {"own"}; };
  const auto shown = [](Account& account) { account.display_phone_number = "+1"; };
  const auto of_other_user = [](Account& account) { account.user_id = Uuid(); };
  for (const auto change : {+off, +own_secret, +shown, +of_other_user}) {
    CHECK(changed({whatsapp(1, "111")}, {with(whatsapp(1, "111"), change)}) == Keys{"111"});
    CHECK(changed({with(whatsapp(1, "111"), change)}, {whatsapp(1, "111")}) == Keys{"111"});
  }
}

TEST_CASE("changes: a key that becomes another is both") {
  CHECK(changed({whatsapp(1, "111")}, {whatsapp(1, "112")}) == Keys{"111", "112"});
}

TEST_CASE("changes: a secret is compared, not its place") {
  const auto own = [](const char* secret) {
    Account account = whatsapp(1, "111");
    account.app_secrets = {secret};
    return account;
  };
  Account other = whatsapp(2, "222");
  other.app_secrets = {"other"};
  CHECK(changed({other, own("own")}, {own("own"), other}).empty());
  CHECK(changed({own("one")}, {own("two")}) == Keys{"111"});
}

}  // namespace
}  // namespace socialsync::route
