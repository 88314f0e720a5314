#include "parse/contacts.hpp"

#include <algorithm>
#include <ranges>

namespace socialsync::parse {
namespace {

constexpr std::string_view contact_ids[] = {"wa_id", "user_id"};

// The limit of contacts in one event. An event names one or two people, but a hostile body can give
// thousands of contacts the one id that all its events name.
constexpr std::size_t contacts_per_event_max = 16;

// All members in which an element of messages[], statuses[], calls[], … may name a person.
constexpr std::string_view element_ids[] = {"from",
                                            "from_user_id",
                                            "recipient_id",
                                            "recipient_user_id",
                                            "to",
                                            "to_user_id",
                                            "wa_id",
                                            "user_id",
                                            "recipient_participant_id",
                                            "recipient_participant_user_id"};

template <typename T>
void sort_and_unite(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

}  // namespace

Contacts::Contacts(Value list, std::size_t events) : list_(list) {
  for (const Value contact : list.items()) {
    for (const std::string_view name : contact_ids) {
      std::string text = contact.at(name).text();
      if (!text.empty()) ids_.push_back({std::move(text), contacts_.size()});
    }
    contacts_.push_back(contact);
  }
  sort_and_unite(ids_);
  is_lone_ = contacts_.size() == 1 && events == 1;
}

std::vector<std::size_t> Contacts::positions_of(Value element) const {
  std::vector<std::size_t> positions;
  if (ids_.empty()) return positions;
  for (const std::string_view name : element_ids) {
    const auto named = std::ranges::equal_range(ids_, element.at(name).text(), {}, &Id::text);
    for (const Id& id : named | std::views::take(contacts_per_event_max)) positions.push_back(id.position);
  }
  sort_and_unite(positions);
  if (positions.size() > contacts_per_event_max) positions.resize(contacts_per_event_max);
  return positions;
}

std::string Contacts::member_for(Value element) const {
  const bool goes_whole = is_lone_ || (list_.present() && !list_.is_array());
  if (goes_whole) return std::string(R"("contacts":)").append(list_.raw()).append(",");
  const std::vector<std::size_t> positions = positions_of(element);
  if (positions.empty()) return {};
  std::string out = R"("contacts":[)";
  for (const std::size_t position : positions) out.append(contacts_[position].raw()).append(",");
  out.back() = ']';
  return out.append(",");
}

}  // namespace socialsync::parse
