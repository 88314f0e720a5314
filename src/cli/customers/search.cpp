#include "cli/customers/search.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace socialsync::cli::customers {
namespace {

namespace asio = boost::asio;

constexpr std::size_t depth_max = 128;  // deeper than what a gateway keeps
constexpr std::size_t rounds_max = 10;  // of learning; each finds at least one identifier
constexpr std::size_t left_max = 1000;  // rows that are named one by one

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& count) { return sum + count.second; });
}

// Of one event, not of a whole body.
bool is_event(std::string_view reason) {
  constexpr std::string_view reasons[] = {"unknown_account", "inactive_account", "ambiguous_account",
                                          "secret_mismatch", "rejected_by_database"};
  return std::ranges::find(reasons, reason) != std::end(reasons);
}

void leave(Found& found, LeftRow row) {
  ++found.left_count;
  if (found.left.size() < left_max) found.left.push_back(std::move(row));
}

bool is_word(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z');
}

// Not as a part of a longer word or number.
bool holds_whole(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace

std::uint64_t Found::event_count() const { return sum_of(events); }
std::uint64_t Found::quarantined_count() const { return sum_of(quarantined); }

Search::Search(pg::Connection& connection, store::CustomersAccount account, std::string customer)
    : connection_(connection), account_(std::move(account)), identifiers_{parse::comparable(customer)} {}

asio::awaitable<Found> Search::learn() {
  const Take leave = [](std::vector<Uuid>) -> asio::awaitable<void> { co_return; };
  for (std::size_t round = 1;; ++round) {
    learned_.clear();
    Found found = co_await run(leave, leave);
    const std::size_t known = identifiers_.size();
    identifiers_.insert(learned_.begin(), learned_.end());
    if (identifiers_.size() == known || round == rounds_max) co_return found;
  }
}

asio::awaitable<Found> Search::run(Take take_events, Take take_quarantined) {
  Found found;
  co_await look_through(Place::events, found, std::move(take_events));
  co_await look_through(Place::quarantine, found, std::move(take_quarantined));
  co_return found;
}

std::vector<std::string> Search::fragments() const {
  std::vector<std::string> fragments(identifiers_.begin(), identifiers_.end());
  for (const std::string& id : identifiers_)
    std::ranges::copy(parse::base64_fragments(id), std::back_inserter(fragments));
  return fragments;
}

parse::PersonFound Search::look_into(std::string body) {
  const auto root = checker_.check(body, depth_max);
  if (root.has_error()) {
    const bool is_named =
        std::ranges::any_of(identifiers_, [&](const std::string& id) { return holds_whole(body, id); });
    return {.involvement = is_named ? parse::Involvement::mentioned : parse::Involvement::none};
  }
  parse::PersonFound found = parse::look_for(*root, identifiers_);
  is_business_ = is_business_ || found.is_business;
  for (std::string& id : found.further) {
    if (id != account_.number) learned_.insert(std::move(id));
  }
  return found;
}

Search::Verdict Search::judge_event(const store::NamingRow& row) {
  const parse::PersonFound found = look_into(row.body);
  if (found.involvement == parse::Involvement::among_others) return Verdict::among_others;
  const bool names_them = std::ranges::any_of(identifiers_, [&](const std::string& id) {
    return parse::comparable(row.customer) == id || parse::message_id_names(row.external_id, id);
  });
  if (names_them || found.involvement == parse::Involvement::party) return Verdict::theirs;
  return found.involvement == parse::Involvement::mentioned ? Verdict::mentioned : Verdict::none;
}

Search::Verdict Search::judge_quarantined(const store::NamingRow& row) {
  // A row that the database refused has no key: another account's customer is not ours.
  const bool is_ours = !row.routing_key.empty() || std::ranges::any_of(account_.keys, [&](const auto& key) {
    return holds_whole(row.body, key);
  });
  if (!is_ours) return Verdict::none;
  const parse::PersonFound found = look_into(row.body);
  const bool is_party = found.involvement == parse::Involvement::party;
  if (is_party && is_event(row.reason)) return Verdict::theirs;
  if (is_party || found.involvement == parse::Involvement::among_others) return Verdict::among_others;
  return found.involvement == parse::Involvement::mentioned ? Verdict::mentioned : Verdict::none;
}

asio::awaitable<void> Search::look_through(Place place, Found& found, Take take) {
  auto& counts = place == Place::events ? found.events : found.quarantined;
  std::optional<store::NamingPage> after;
  std::uint64_t looked_at = 0;
  for (;;) {
    store::NamingPage page = co_await next_page(place, after);
    if (page.looked_at == 0) co_return;
    looked_at += page.looked_at;
    if (told_) told_(looked_at);
    std::vector<Uuid> theirs;
    for (const store::NamingRow& row : page.rows) {
      const Verdict verdict = place == Place::events ? judge_event(row) : judge_quarantined(row);
      if (verdict == Verdict::theirs) {
        theirs.push_back(row.id);
        ++counts[place == Place::events ? row.type : row.reason];
      } else if (verdict != Verdict::none) {
        leave(found, {place == Place::quarantine, row.id,
                      verdict == Verdict::mentioned ? "mentioned" : "among_others"});
      }
    }
    if (!theirs.empty()) co_await take(std::move(theirs));
    page.rows.clear();
    after = std::move(page);
  }
}

asio::awaitable<store::NamingPage> Search::next_page(Place place,
                                                     const std::optional<store::NamingPage>& after) {
  store::NamingPage page;
  if (place == Place::events) {
    page = co_await store::find_naming_events(connection_, account_.id, fragments(), after);
  } else {
    page = co_await store::find_naming_quarantined(connection_, account_.keys, fragments(), after);
  }
  co_return page;
}

}  // namespace socialsync::cli::customers
