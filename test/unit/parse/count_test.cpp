// Each body yields as many events as a person would count in it: counted over a JSON tree that knows nothing
// of ours. Reads test/golden and the public bodies in SOCIALSYNC_FIXTURES.
#include <cstdlib>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "unit/parse/golden.hpp"
#include "unit/parse/support.hpp"

using namespace socialsync::parse::test;
using boost::json::value;

namespace {

// The lists of which each element happened by itself.
constexpr const char* lists[] = {"messages",       "statuses",        "message_echoes", "calls",
                                 "history",        "state_sync",      "groups",         "user_preferences",
                                 "user_id_update", "automatic_events"};

std::size_t size_of(const value& container, std::string_view name) {
  const auto* object = container.if_object();
  const value* member = object ? object->if_contains(name) : nullptr;
  return member && member->is_array() ? member->get_array().size() : 0;
}

// A change is one event unless its value lists several; errors beside the list are one more.
std::size_t count_in_change(const value& change) {
  const auto* content = change.is_object() ? change.get_object().if_contains("value") : nullptr;
  if (!content) return 1;
  std::size_t events = 0;
  for (const char* list : lists) events += size_of(*content, list);
  if (events == 0) return 1;
  return events + (size_of(*content, "errors") > 0 ? 1 : 0);
}

std::size_t count_in_entry(const value& entry) {
  std::size_t events = entry.as_object().contains("field") ? 1 : 0;
  for (const char* list : {"messaging", "standby", "changed_fields"}) events += size_of(entry, list);
  if (size_of(entry, "changes") == 0) return events;
  for (const value& change : entry.at("changes").as_array()) events += count_in_change(change);
  return events;
}

std::size_t count_in(const value& body) {
  std::size_t events = 0;
  if (body.is_array()) {
    for (const value& inside : body.get_array()) events += count_in(inside);
    return events;
  }
  if (!body.as_object().contains("entry")) return 1;
  for (const value& entry : body.at("entry").as_array()) events += count_in_entry(entry);
  return events;
}

void check_counts(const std::vector<GoldenBody>& bodies) {
  for (const auto& [path, text] : bodies) {
    CAPTURE(path);
    const auto webhook = split(text, Platform::whatsapp);
    REQUIRE(webhook.has_value());
    CHECK(webhook->unreadable.empty());
    CHECK(webhook->events.size() == count_in(boost::json::parse(text)));
  }
}

}  // namespace

TEST_CASE("a body of ours yields the events that one counts in it") { check_counts(golden_bodies()); }

TEST_CASE("a public body yields the events that one counts in it" *
          doctest::skip(std::getenv("SOCIALSYNC_FIXTURES") == nullptr)) {
  const std::vector<GoldenBody> bodies = bodies_in(std::getenv("SOCIALSYNC_FIXTURES"));
  CHECK(!bodies.empty());
  check_counts(bodies);
}
