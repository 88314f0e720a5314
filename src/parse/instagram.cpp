#include "parse/instagram.hpp"

#include <algorithm>

#include "parse/change.hpp"
#include "parse/identity.hpp"
#include "parse/messaging.hpp"

namespace socialsync::parse {
namespace {

// Fields whose values have an id to go by.
struct Rule {
  std::string_view field;
  std::string_view kind;
  Paths natural_id;
  bool repeats;  // the same id may come again, as another event, with another entry time
};

constexpr Rule rules[] = {
    {"comments", "comment", {"id", "comment_id"}, false},
    {"live_comments", "comment", {"id", "comment_id"}, false},
    {"mentions", "mention", {"comment_id", "media_id"}, true},
    {"story_insights", "story_insights", {"media_id"}, true},
};

void identify(const Entry& entry, const Change& change, const Rule& rule, model::Event& event) {
  std::string natural_id = first_text(change.value, rule.natural_id);
  if (natural_id.empty()) return;
  event.kind = rule.kind;
  event.natural_id = std::move(natural_id);
  event.discriminator.clear();
  append_part(event.discriminator, change.field);
  if (rule.repeats) append_part(event.discriminator, entry.time.raw());
}

}  // namespace

void read_instagram_change(const Entry& entry, const Change& change, Collector& collector) {
  if (read_messaging_change(entry, change, collector)) return;
  model::Event event = whole_change(entry, change);
  const auto* rule = std::ranges::find(rules, change.field, &Rule::field);
  if (rule != std::end(rules)) identify(entry, change, *rule, event);
  collector.add(std::move(event));
}

}  // namespace socialsync::parse
