#include "parse/split.hpp"

#include <algorithm>
#include <span>

#include "parse/collector.hpp"
#include "parse/entry.hpp"
#include "parse/envelope.hpp"
#include "parse/readers.hpp"

namespace socialsync::parse {
namespace {

bool is_change(Value element) {
  const Value field = element.at("field");
  return field.is_string() && !field.equals("") && element.at("value").kind() != Kind::missing;
}

// Reads a change of Instagram or Messenger: a conversation's element in a change, or one whole event.
void read_other_change(const Entry& entry, const Change& change, std::span<const ChangeKind> kinds,
                       Collector& collector) {
  if (read_messaging_change(entry, change, collector)) return;
  collector.add(whole_change(entry, change, kinds));
}

void read_change(const Entry& entry, Value element, Collector& collector) {
  if (!is_change(element)) return add_unreadable(entry, element, collector);
  const bool flat = element == entry.value;
  const Change change{element, element.at("field").text(), element.at("value"), flat};
  switch (entry.platform) {
    case model::Platform::whatsapp: return read_whatsapp_change(entry, change, collector);
    case model::Platform::instagram: return read_other_change(entry, change, instagram_kinds(), collector);
    case model::Platform::messenger: return read_other_change(entry, change, messenger_kinds(), collector);
  }
}

// A list that an entry may hold, and the reader of its elements.
struct Block {
  std::string_view name;
  void (*read)(const Entry&, Value element, Collector&);
};

constexpr Block blocks[] = {
    {"changes", read_change},
    {"messaging", read_messaging},
    {"standby", read_standby},
    {"changed_fields", read_changed_field},
};

const Block* find_block(Value name) {
  const auto* block =
      std::ranges::find_if(blocks, [name](const Block& candidate) { return name.equals(candidate.name); });
  return block == std::end(blocks) ? nullptr : block;
}

void read_block(const Entry& entry, const Block& block, Value list, Collector& collector) {
  if (!list.is_array()) return add_unreadable(entry, entry.value, collector);
  for (const Value element : list.items()) {
    if (collector.is_full()) return;
    block.read(entry, element, collector);
  }
}

bool is_container(Value value) { return value.is_object() || value.is_array(); }

// True for a member that describes the entry, and is not an event itself.
bool surrounds(Value name, bool is_flat) {
  const bool is_flat_part = name.equals("field") || name.equals("value");
  return name.equals("id") || name.equals("time") || (is_flat && is_flat_part);
}

bool has_known_block(Value entry) {
  for (const auto& [name, member] : entry.fields()) {
    if (member.present() && find_block(name)) return true;
  }
  return false;
}

// Keeps an unknown block of an entry as an unreadable part, within an entry of its own. The other blocks are
// read without it.
void add_unknown_block(const Entry& entry, Value name, Value block, Collector& collector) {
  std::string bytes = "{";
  const auto append = [&bytes](std::string_view quoted_name, Value value) {
    if (value.kind() != Kind::missing) bytes.append(quoted_name).append(":").append(value.raw()).append(",");
  };
  append("\"id\"", entry.id);
  append("\"time\"", entry.time);
  append(name.raw(), block);
  bytes.back() = '}';
  collector.add_unreadable(entry.platform, entry.id.text(), bytes);
}

void read_entry(model::Platform platform, Value value, Collector& collector) {
  const Entry entry{platform, value, value.at("id"), value.at("time")};
  const bool is_flat = is_change(value);
  if (!is_flat && !has_known_block(value)) return add_unreadable(entry, value, collector);
  for (const auto& [name, member] : value.fields()) {
    if (collector.is_full()) return;
    const Block* block = find_block(name);
    if (block && member.present()) {
      read_block(entry, *block, member, collector);
    } else if (is_container(member) && !surrounds(name, is_flat)) {
      add_unknown_block(entry, name, member, collector);
    }
  }
  if (is_flat) read_change(entry, value, collector);
}

void read_bare_change(model::Platform platform, Value change, Collector& collector) {
  read_change({platform, {}, {}, {}}, change, collector);
}

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
