#include "operate/endpoint_draft.hpp"

#include <doctest/doctest.h>

#include "base/failure.hpp"

using namespace socialsync;
using operate::change_of;
using operate::EndpointDraft;

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("endpoint draft: headers are set, cleared, or left as they are") {
  CHECK(!change_of({.url = "https://bot.example/"}).headers);
  CHECK(!*change_of({.cleared = {"headers"}}).headers);
  const auto change = change_of({.headers = std::vector<std::string>{"A: b ", "X-Key:c", "A: d"}});
  CHECK(**change.headers == Headers{{"A", "d"}, {"X-Key", "c"}});
}

TEST_CASE("endpoint draft: a pulled endpoint has a NULL URL") {
  const auto change = change_of({.is_pulled = true});
  REQUIRE(change.url);
  CHECK(!*change.url);
  CHECK(change.names() == std::vector<std::string>{"url"});
}

TEST_CASE("endpoint draft: a column is not both set and cleared, and not every column can be") {
  CHECK_THROWS_AS(change_of({.description = "x", .cleared = {"description"}}), Failure);
  CHECK_THROWS_AS(change_of({.cleared = {"url"}}), Failure);
}

TEST_CASE("endpoint draft: no message holds the value of a header") {
  for (const std::string line : {"hidden", "A\x01: hidden", "A: hidden\x01", "Host: hidden"}) {
    try {
      change_of({.headers = std::vector<std::string>{line}});
      FAIL("accepted: " << line);
    } catch (const Failure& failure) {
      CHECK(failure.code() == Exit::wrong_usage);
      CHECK(std::string(failure.what()).find("hidden") == std::string::npos);
    }
  }
}

TEST_CASE("endpoint change: the columns that have a value") {
  const EndpointDraft draft{.events = "messages, comments", .is_ordered = false, .per_second_max = 5};
  const auto change = change_of(draft);
  CHECK(**change.webhook_events == std::vector<std::string>{"messages", "comments"});
  CHECK(change.names() == std::vector<std::string>{"webhook_events", "is_ordered", "per_second_max"});
}
