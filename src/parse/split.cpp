#include "parse/split.hpp"

#include "parse/collector.hpp"
#include "parse/entry.hpp"
#include "parse/envelope.hpp"

namespace socialsync::parse {
namespace {

// True for {"field": …, "value": …}: a change without entry[] around it.
bool is_bare_change(Value root) { return root.at("field").is_string() && !root.at("entry").present(); }

// Returns the platform of a webhook; nothing when `root` is not a webhook.
std::optional<model::Platform> platform_of_webhook(Value root, std::optional<model::Platform> fallback) {
  const bool is_webhook = root.at("entry").is_array() || is_bare_change(root);
  if (!is_webhook) return std::nullopt;
  const Value object = root.at("object");
  return object.present() ? platform_of(object) : fallback;
}

void read_entries(model::Platform platform, Value entries, Collector& collector) {
  if (!entries.is_array()) return collector.add_unreadable(platform, {}, entries.raw());
  for (const Value entry : entries.items()) {
    if (collector.is_full()) return;
    read_entry(platform, entry, collector);
  }
}

// False, with nothing collected, when `root` is not a webhook.
bool read_webhook(Value root, std::optional<model::Platform> fallback, Collector& collector) {
  const auto platform = platform_of_webhook(root, fallback);
  if (!platform) return false;
  if (is_bare_change(root)) read_bare_change(*platform, root, collector);
  for (const auto& [name, entries] : root.fields()) {
    if (name.equals("entry") && entries.present()) read_entries(*platform, entries, collector);
  }
  return true;
}

// Reads an array of webhooks: Meta's documentation wraps some examples in one.
bool read_webhooks(Value roots, std::optional<model::Platform> fallback, Collector& collector) {
  std::vector<Value> strangers;
  bool is_webhook = false;
  for (const Value root : roots.items()) {
    if (collector.is_full()) break;
    if (read_webhook(root, fallback, collector)) {
      is_webhook = true;
    } else {
      strangers.push_back(root);
    }
  }
  if (!is_webhook) return false;
  for (const Value stranger : strangers) {
    collector.add_unreadable(fallback.value_or(model::Platform::whatsapp), {}, stranger.raw());
  }
  return true;
}

}  // namespace

std::string_view to_string(ParseError error) {
  switch (error) {
    case ParseError::not_json: return "not_json";
    case ParseError::too_deep: return "too_deep";
    case ParseError::not_a_webhook: return "not_a_webhook";
  }
  return "unknown";
}

Result<model::Webhook, ParseError> Splitter::split(std::string& body,
                                                   std::optional<model::Platform> fallback) {
  const auto root = checker_.check(body, limits_.depth_max);
  if (root.has_error()) {
    return root.error() == JsonError::too_deep ? ParseError::too_deep : ParseError::not_json;
  }
  Collector collector(limits_, checker_.fit_for_jsonb());
  const auto read = root->is_array() ? read_webhooks : read_webhook;
  if (!read(*root, fallback, collector)) return ParseError::not_a_webhook;
  return collector.take();
}

}  // namespace socialsync::parse
