#include "unit/ingest/regroup.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "parse/json_check.hpp"
#include "parse/kinds.hpp"
#include "parse/limits.hpp"

namespace socialsync::ingest::test {
namespace {

using parse::Value;

bool is_list(std::string_view field, Value name) {
  return std::ranges::any_of(parse::whatsapp_kinds(), [&](const parse::ChangeKind& kind) {
    return kind.field == field && !kind.list.empty() && name.equals(kind.list);
  });
}

void read_value(Value value, Part& part) {
  for (const auto& [name, member] : value.fields()) {
    if (is_list(part.field, name)) {
      part.list = name.text();
      part.list_element = (*member.items().begin()).raw();
      part.has_own_time = (*member.items().begin()).at("timestamp").present();
    } else if (name.equals("contacts")) {
      for (const Value contact : member.items()) part.contacts.emplace_back(contact.raw());
    } else {
      part.shared += fmt::format("{}:{},", name.raw(), member.raw());
    }
  }
}

void read_entry(Value entry, Part& part) {
  part.entry_id = entry.at("id").raw();
  part.entry_time = entry.at("time").raw();
  for (const char* block : {"changes", "messaging", "standby", "changed_fields"}) {
    const Value list = entry.at(block);
    if (!list.is_array()) continue;
    part.block = block;
    part.element = (*list.items().begin()).raw();
    const Value element = *list.items().begin();
    part.has_own_time = element.at("timestamp").present();
    part.field = element.at("field").text();
    if (part.object == R"("whatsapp_business_account")") read_value(element.at("value"), part);
  }
  if (part.block.empty())
    part.element = fmt::format(R"("field":{},"value":{})", entry.at("field").raw(), entry.at("value").raw());
}

bool flip(std::minstd_rand& random) { return random() % 2 == 0; }

// A value in which elements of several lists stand together.
struct GrownChange {
  std::string field;
  std::string shared;
  std::map<std::string, std::vector<std::string>> lists;
  std::vector<std::string> contacts;

  std::string text() const {
    std::string members = shared;
    if (!contacts.empty()) members += fmt::format(R"("contacts":[{}],)", fmt::join(contacts, ","));
    for (const auto& [name, elements] : lists)
      members += fmt::format(R"("{}":[{}],)", name, fmt::join(elements, ","));
    members.pop_back();
    return fmt::format(R"({{"value":{{{}}},"field":"{}"}})", members, field);
  }
};

struct GrownEntry {
  std::string id;
  std::string time;
  std::map<std::string, std::vector<std::string>> blocks;  // but for the changes that can still grow
  std::vector<GrownChange> changes;
  std::string flat;

  std::string text() const {
    std::vector<std::string> members;
    if (!id.empty()) members.push_back(R"("id":)" + id);
    if (!time.empty()) members.push_back(R"("time":)" + time);
    if (!flat.empty()) members.push_back(flat);
    auto all = blocks;
    for (const GrownChange& change : changes) all["changes"].push_back(change.text());
    for (const auto& [name, elements] : all)
      members.push_back(fmt::format(R"("{}":[{}])", name, fmt::join(elements, ",")));
    return fmt::format("{{{}}}", fmt::join(members, ","));
  }
};

void add_to(GrownEntry& entry, const Part& part, std::minstd_rand& random) {
  if (part.block.empty()) {
    entry.flat = part.element;
    return;
  }
  if (part.list.empty()) {
    entry.blocks[part.block].push_back(part.element);
    return;
  }
  auto change = std::ranges::find_if(entry.changes, [&](const GrownChange& grown) {
    return grown.field == part.field && grown.shared == part.shared;
  });
  if (change == entry.changes.end() || flip(random)) {
    entry.changes.push_back({.field = part.field, .shared = part.shared, .lists = {}, .contacts = {}});
    change = entry.changes.end() - 1;
  }
  change->lists[part.list].push_back(part.list_element);
  change->contacts.insert(change->contacts.end(), part.contacts.begin(), part.contacts.end());
}

// One body of one object.
struct GrownBody {
  std::string object;
  std::vector<GrownEntry> entries;

  void add(const Part& part, std::minstd_rand& random) {
    const bool moves = part.has_own_time && flip(random);
    const std::string time = moves ? std::to_string(1'770'000'000 + random() % 100) : part.entry_time;
    auto entry = std::ranges::find_if(entries, [&](const GrownEntry& grown) {
      return grown.id == part.entry_id && (grown.time == time || part.has_own_time) && grown.flat.empty();
    });
    if (entry == entries.end() || part.block.empty() || flip(random)) {
      entries.push_back({.id = part.entry_id, .time = time, .blocks = {}, .changes = {}, .flat = {}});
      entry = entries.end() - 1;
    }
    add_to(*entry, part, random);
  }

  std::string text() const {
    std::vector<std::string> texts;
    for (const GrownEntry& entry : entries) texts.push_back(entry.text());
    return fmt::format(R"({{"entry":[{}],"object":{}}})", fmt::join(texts, ","), object);
  }
};

}  // namespace

std::vector<Part> parts_of(const model::Webhook& webhook) {
  std::vector<Part> parts;
  parse::JsonChecker checker;
  for (const model::Event& event : webhook.events) {
    std::string text = event.payload;
    const Value root = *checker.check(text, parse::Limits().depth_max);
    Part part;
    part.object = root.at("object").raw();
    read_entry(*root.at("entry").items().begin(), part);
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::string> regrouped(std::vector<Part> parts, std::minstd_rand& random) {
  std::ranges::shuffle(parts, random);
  const std::size_t bodies_max = 1 + random() % parts.size();
  std::vector<GrownBody> bodies;
  for (const Part& part : parts) {
    std::vector<GrownBody*> fitting;
    for (GrownBody& body : bodies) {
      if (body.object == part.object) fitting.push_back(&body);
    }
    if (fitting.empty() || (bodies.size() < bodies_max && flip(random))) {
      bodies.push_back({.object = part.object, .entries = {}});
      fitting = {&bodies.back()};
    }
    fitting[random() % fitting.size()]->add(part, random);
  }
  std::vector<std::string> texts;
  for (const GrownBody& body : bodies) texts.push_back(body.text());
  std::ranges::shuffle(texts, random);
  return texts;
}

}  // namespace socialsync::ingest::test
