// Each member of each golden body, one at a time, becomes something that it should not be: nothing crashes,
// what is beside it still arrives, every payload is fit, and what came is kept.
#include <algorithm>
#include <array>
#include <set>

#include "parse/json_check.hpp"
#include "parse/json_text.hpp"
#include "parse/kinds.hpp"
#include "unit/parse/golden.hpp"
#include "unit/parse/support.hpp"

using namespace socialsync;
using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

const std::string huge = '"' + std::string(3000, 'x') + '"';
const std::array<std::string, 7> wrong_values = {"null", "true", "0", R"("")", "[]", "{}", huge};

// A part of a body's text.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A member's value, and the elements of lists of events that it lies in, from the outside in.
struct Place {
  Range value;
  std::vector<Range> elements;
};

// All members of a text.
class Places {
 public:
  explicit Places(std::string& text) : text_(text) {
    visit(*checker_.check(text_, Limits().depth_max), {}, false, {});
  }

  const std::vector<Place>& all() const { return places_; }

 private:
  Range range_of(Value value) const {
    const auto begin = static_cast<std::size_t>(value.raw().data() - text_.data());
    return {begin, begin + value.raw().size()};
  }

  // `parent` is the name of the member that `name` is a member of.
  static bool is_list_of_events(Value parent, Value name) {
    const auto is_kinds = [name](const ChangeKind& kind) { return name.equals(kind.list); };
    if (parent.equals("value")) return std::ranges::any_of(whatsapp_kinds(), is_kinds);
    return name.equals("entry") || name.equals("changes") || name.equals("messaging") ||
           name.equals("standby") || name.equals("changed_fields");
  }

  void visit(Value value, Value name, bool is_list, const std::vector<Range>& elements) {
    for (const Value item : value.items()) {
      std::vector<Range> inside = elements;
      if (is_list) inside.push_back(range_of(item));
      visit(item, {}, false, inside);
    }
    for (const auto& [key, member] : value.fields()) {
      places_.push_back({range_of(member), elements});
      visit(member, key, is_list_of_events(name, key), elements);
    }
  }

  std::string& text_;
  JsonChecker checker_;
  std::vector<Place> places_;
};

std::string with(const std::string& text, Range range, std::string_view replacement) {
  return text.substr(0, range.begin).append(replacement).append(text, range.end);
}

// The text with the wrong value in its place, and behind the element that holds it the same element as it
// was.
std::string with_twin(const std::string& text, Range value, Range element, const std::string& wrong) {
  const std::string twin = "," + text.substr(element.begin, element.end - element.begin);
  return with(with(text, {element.end, element.end}, twin), value, wrong);
}

// The identity of an event.
std::string identity_of(const Event& event) {
  std::string identity;
  for (const std::string& part :
       {event.key.entry_id, event.key.phone_number_id, event.key.display_phone_number, event.type, event.kind,
        event.natural_id, event.discriminator, event.customer, std::to_string(event.time_ms.value_or(0))}) {
    identity.append(part).append("\n");
  }
  return identity;
}

std::set<std::string> identities_of(const Webhook& webhook) {
  std::set<std::string> identities;
  for (const Event& event : webhook.events) identities.insert(identity_of(event));
  return identities;
}

// Each payload is fit for jsonb, and a webhook of that event alone.
void check_payloads(const Webhook& webhook) {
  for (const Event& event : webhook.events) {
    REQUIRE(!repaired(event.payload));
    const auto again = split(event.payload);
    REQUIRE(again.has_value());
    REQUIRE(again->events.size() == 1);
    REQUIRE(again->unreadable.empty());
    REQUIRE(identity_of(again->events.front()) == identity_of(event));
  }
}

// All that a body's rows hold, in the log and in quarantine.
std::string kept_of(const Webhook& webhook) {
  std::string kept;
  for (const Event& event : webhook.events) kept += event.exact_payload.value_or(event.payload) + "\n";
  for (const model::Unreadable& part : webhook.unreadable) kept += part.bytes + "\n";
  return kept;
}

void add_leaves(Value value, std::set<std::string>& leaves) {
  if (value.is_string() || value.kind() == Kind::number) leaves.emplace(value.raw());
  for (const Value item : value.items()) add_leaves(item, leaves);
  for (const auto& [name, member] : value.fields()) add_leaves(member, leaves);
}

// Every string and number of a webhook's entries as written there, without the ids and times of entries: an
// entry without events does not need them.
std::set<std::string> leaves_of(std::string text) {
  JsonChecker checker;
  const Value root = *checker.check(text, Limits().depth_max);
  std::set<std::string> leaves;
  for (const Value entry : root.at("entry").items()) {
    for (const auto& [name, member] : entry.fields()) {
      if (!name.equals("id") && !name.equals("time")) add_leaves(member, leaves);
    }
  }
  return leaves;
}

void check_kept(const std::string& body, const Webhook& webhook) {
  const std::string kept = kept_of(webhook);
  for (const std::string& leaf : leaves_of(body)) REQUIRE_MESSAGE(kept.find(leaf) != std::string::npos, leaf);
}

}  // namespace

TEST_CASE("with any member of any type the body is refused, or its payloads fit jsonb and nothing is lost") {
  std::size_t tried = 0;
  for (const GoldenBody& golden : golden_bodies()) {
    std::string text = golden.text;
    const Places places(text);
    for (const Place& place : places.all()) {
      for (const std::string& wrong : wrong_values) {
        const std::string body = with(text, place.value, wrong);
        CAPTURE(golden.path);
        CAPTURE(body);
        const auto webhook = split(body, Platform::whatsapp);
        ++tried;
        if (webhook.has_error()) continue;
        check_payloads(*webhook);
        check_kept(body, *webhook);
      }
    }
  }
  CHECK(tried > 10'000);
}

TEST_CASE("a member of the wrong type costs its own event at most") {
  std::size_t tried = 0;
  for (const GoldenBody& golden : golden_bodies()) {
    std::string text = golden.text;
    const std::set<std::string> expected = identities_of(webhook_of(text));
    const Places places(text);
    for (const Place& place : places.all()) {
      for (const Range& element : place.elements) {
        for (const std::string& wrong : wrong_values) {
          const std::string body = with_twin(text, place.value, element, wrong);
          CAPTURE(golden.path);
          CAPTURE(body);
          REQUIRE(std::ranges::includes(identities_of(webhook_of(body)), expected));
          ++tried;
        }
      }
    }
  }
  CHECK(tried > 20'000);
}
