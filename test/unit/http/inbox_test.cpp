#include "http/inbox.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace socialsync::http {
namespace {

void put(Inbox& inbox, std::string_view text, std::size_t wanted_bytes = 0) {
  const std::span<char> space = inbox.space(wanted_bytes);
  REQUIRE(space.size() >= text.size());
  text.copy(space.data(), text.size());
  inbox.filled(text.size());
}

TEST_CASE("inbox: what was put in comes out in order") {
  Inbox inbox;
  CHECK(inbox.pending().empty());
  put(inbox, "hello ");
  put(inbox, "world");
  inbox.consume(3);
  CHECK(inbox.pending() == "lo world");
  put(inbox, "!");
  CHECK(inbox.pending() == "lo world!");
}

TEST_CASE("inbox: never without room, and what is pending survives its growth") {
  Inbox inbox;
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    const std::string block(inbox.space(0).size(), static_cast<char>('a' + i));
    put(inbox, block);
    expected += block;
  }
  CHECK((inbox.pending() == expected));
  CHECK_FALSE(inbox.space(0).empty());
}

TEST_CASE("inbox: room for as much as is wanted, given back when it is empty") {
  Inbox inbox;
  const std::size_t usual = inbox.space(0).size();
  CHECK(inbox.space(100'000).size() >= 100'000);
  CHECK(inbox.space(0).size() == usual);
}

}  // namespace
}  // namespace socialsync::http
