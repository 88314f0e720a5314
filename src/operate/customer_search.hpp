// Finding and erasing all data of one person under one account.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "parse/json_check.hpp"
#include "parse/persons.hpp"
#include "store/erasure.hpp"

namespace socialsync::operate {

// Returns the account of that id, phone number id or page id. Throws Failure (not_found) when no account or
// several accounts match, and pg::Error.
boost::asio::awaitable<store::CustomersAccount> find_customers_account(pg::Connection& connection,
                                                                       std::string name);

// A row that names the person but is not erased: it belongs to others, or to others too.
struct KeptRow {
  bool is_quarantined = false;
  Uuid id;
  std::string why;  // mentioned, among_others
};

struct CustomerData {
  std::map<std::string, std::uint64_t> events;       // by webhook_type
  std::map<std::string, std::uint64_t> quarantined;  // by reason
  std::vector<KeptRow> kept;                         // the first thousand
  std::uint64_t kept_count = 0;

  std::uint64_t event_count() const;
  std::uint64_t quarantined_count() const;
  std::uint64_t count() const { return event_count() + quarantined_count(); }
};

struct ErasedCustomer {
  std::uint64_t events = 0;
  std::uint64_t identity_keys = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t attempts = 0;
};

// Works on one connection; not for two coroutines at once.
class CustomerSearch {
 public:
  using ShowRows = std::function<void(std::uint64_t rows)>;

  // `customer` is a phone number, BSUID, or Instagram- or page-scoped id. Throws Failure (wrong_usage) when
  // it is too short, or the account itself.
  CustomerSearch(pg::Connection& connection, store::CustomersAccount account, const std::string& customer);

  // All known identifiers of the person.
  const std::set<std::string>& identifiers() const { return identifiers_; }

  // Searches the rows for further identifiers of the person until none are found. Returns the data of all of
  // them. `show` is called with the number of rows searched. Throws Failure (wrong_usage) when the person
  // turns out to be the account itself, and pg::Error.
  boost::asio::awaitable<CustomerData> learn(ShowRows show);

  // Erases the person's rows in batches, each a transaction of its own. `show` is called with the number of
  // rows erased. Throws pg::Error.
  boost::asio::awaitable<ErasedCustomer> erase(ShowRows show);

 private:
  enum class Verdict { none, theirs, mentioned, among_others };
  enum class Place { events, quarantine };
  using Take = std::function<boost::asio::awaitable<void>(std::vector<Uuid> ids)>;

  // Searches all rows once; `take` is called with batches of the person's.
  boost::asio::awaitable<CustomerData> search(Take take_events, Take take_quarantined);
  boost::asio::awaitable<void> search_in(Place place, CustomerData& found, Take take);
  boost::asio::awaitable<store::NamingPage> next_page(Place place,
                                                      const std::optional<store::NamingPage>& after);
  std::vector<std::string> fragments() const;
  parse::PersonFound look_into(std::string body);
  Verdict judge_event(const store::NamingRow& row);
  Verdict judge_quarantined(const store::NamingRow& row);

  pg::Connection& connection_;
  store::CustomersAccount account_;
  std::set<std::string> identifiers_;
  std::set<std::string> learned_;  // in the current search
  bool is_business_ = false;       // an identifier is the account's own
  parse::JsonChecker checker_;
  ShowRows show_searched_;
};

}  // namespace socialsync::operate
