#include "operate/customer_search.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "store/quarantine.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;

constexpr std::size_t depth_max = 128;  // levels of JSON; a gateway's limit is lower
constexpr std::size_t rounds_max = 10;  // searches of learn(); each finds at least one identifier
constexpr std::size_t kept_max = 1000;  // rows listed one by one
constexpr std::size_t identifier_characters_min = 4;

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& count) { return sum + count.second; });
}

// True for rows with one event, not a whole body.
bool is_event(std::string_view reason) {
  constexpr std::string_view reasons[] = {"unknown_account", "inactive_account", "ambiguous_account",
                                          "secret_mismatch", "rejected_by_database"};
  return std::ranges::find(reasons, reason) != std::end(reasons);
}

void keep(CustomerData& found, KeptRow row) {
  ++found.kept_count;
  if (found.kept.size() < kept_max) found.kept.push_back(std::move(row));
}

bool is_word(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z');
}

// True when the text has the word, not as a part of a longer word or number.
bool holds_whole(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

[[noreturn]] void refuse_business() {
  throw Failure(Exit::wrong_usage,
                "--customer is the account itself; to remove the account: socialsync accounts remove");
}

}  // namespace

asio::awaitable<store::CustomersAccount> find_customers_account(pg::Connection& connection,
                                                                std::string name) {
  std::vector<store::CustomersAccount> accounts = co_await store::find_customers_accounts(connection, name);
  if (accounts.empty())
    throw Failure(Exit::not_found,
                  fmt::format("account {} not found by id, phone number id or page id", name), "not_found");
  if (accounts.size() > 1)
    throw Failure(Exit::not_found, fmt::format("{} matches several accounts; name one by its id", name),
                  "not_found");
  co_return std::move(accounts.front());
}

std::uint64_t CustomerData::event_count() const { return sum_of(events); }
std::uint64_t CustomerData::quarantined_count() const { return sum_of(quarantined); }

CustomerSearch::CustomerSearch(pg::Connection& connection, store::CustomersAccount account,
                               const std::string& customer)
    : connection_(connection), account_(std::move(account)), identifiers_{parse::comparable(customer)} {
  const std::string& identifier = *identifiers_.begin();
  if (identifier.size() < identifier_characters_min)
    throw Failure(Exit::wrong_usage, "--customer must be a whole phone number, BSUID or scoped id");
  if (identifier == account_.number || std::ranges::find(account_.keys, identifier) != account_.keys.end())
    refuse_business();
}

asio::awaitable<CustomerData> CustomerSearch::learn(ShowRows show) {
  const Take none = [](std::vector<Uuid>) -> asio::awaitable<void> { co_return; };
  show_searched_ = std::move(show);
  for (std::size_t round = 1;; ++round) {
    learned_.clear();
    CustomerData found = co_await search(none, none);
    const std::size_t known = identifiers_.size();
    identifiers_.insert(learned_.begin(), learned_.end());
    if (identifiers_.size() != known && round < rounds_max) continue;
    show_searched_ = {};
    if (is_business_) refuse_business();
    co_return found;
  }
}

asio::awaitable<ErasedCustomer> CustomerSearch::erase(ShowRows show) {
  ErasedCustomer erased;
  const Take events = [&](std::vector<Uuid> ids) -> asio::awaitable<void> {
    const store::ErasedEvents batch = co_await store::erase_events(connection_, account_.id, ids);
    erased.events += batch.events;
    erased.identity_keys += batch.identity_keys;
    erased.deliveries += batch.deliveries;
    erased.attempts += batch.attempts;
    show(erased.events + erased.quarantined);
  };
  const Take quarantined = [&](std::vector<Uuid> ids) -> asio::awaitable<void> {
    const std::vector<Uuid> deleted = co_await store::delete_quarantined(connection_, ids);
    erased.quarantined += deleted.size();
    show(erased.events + erased.quarantined);
  };
  co_await search(events, quarantined);
  co_return erased;
}

asio::awaitable<CustomerData> CustomerSearch::search(Take take_events, Take take_quarantined) {
  CustomerData found;
  co_await search_in(Place::events, found, std::move(take_events));
  co_await search_in(Place::quarantine, found, std::move(take_quarantined));
  co_return found;
}

std::vector<std::string> CustomerSearch::fragments() const {
  std::vector<std::string> fragments(identifiers_.begin(), identifiers_.end());
  for (const std::string& id : identifiers_)
    std::ranges::copy(parse::base64_fragments(id), std::back_inserter(fragments));
  return fragments;
}

parse::PersonFound CustomerSearch::look_into(std::string body) {
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

CustomerSearch::Verdict CustomerSearch::judge_event(const store::NamingRow& row) {
  const parse::PersonFound found = look_into(row.body);
  if (found.involvement == parse::Involvement::among_others) return Verdict::among_others;
  const bool names_them = std::ranges::any_of(identifiers_, [&](const std::string& id) {
    return parse::comparable(row.customer) == id || parse::message_id_names(row.external_id, id);
  });
  if (names_them || found.involvement == parse::Involvement::party) return Verdict::theirs;
  return found.involvement == parse::Involvement::mentioned ? Verdict::mentioned : Verdict::none;
}

CustomerSearch::Verdict CustomerSearch::judge_quarantined(const store::NamingRow& row) {
  // Rows refused by the database have no routing key: they must name the account.
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

asio::awaitable<void> CustomerSearch::search_in(Place place, CustomerData& found, Take take) {
  auto& counts = place == Place::events ? found.events : found.quarantined;
  std::optional<store::NamingPage> after;
  std::uint64_t looked_at = 0;
  for (;;) {
    store::NamingPage page = co_await next_page(place, after);
    if (page.looked_at == 0) co_return;
    looked_at += page.looked_at;
    if (show_searched_) show_searched_(looked_at);
    std::vector<Uuid> theirs;
    for (const store::NamingRow& row : page.rows) {
      const Verdict verdict = place == Place::events ? judge_event(row) : judge_quarantined(row);
      if (verdict == Verdict::theirs) {
        theirs.push_back(row.id);
        ++counts[place == Place::events ? row.type : row.reason];
      } else if (verdict != Verdict::none) {
        keep(found, {place == Place::quarantine, row.id,
                     verdict == Verdict::mentioned ? "mentioned" : "among_others"});
      }
    }
    if (!theirs.empty()) co_await take(std::move(theirs));
    page.rows.clear();
    after = std::move(page);
  }
}

asio::awaitable<store::NamingPage> CustomerSearch::next_page(Place place,
                                                             const std::optional<store::NamingPage>& after) {
  store::NamingPage page;
  if (place == Place::events) {
    page = co_await store::find_naming_events(connection_, account_.id, fragments(), after);
  } else {
    page = co_await store::find_naming_quarantined(connection_, account_.keys, fragments(), after);
  }
  co_return page;
}

}  // namespace socialsync::operate
