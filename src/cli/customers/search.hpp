// The search for all that is kept of one person under one account.
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

namespace socialsync::cli::customers {

// A row that names the person but is not theirs alone, so that it is left to the operator.
struct LeftRow {
  bool is_quarantined = false;
  Uuid id;
  std::string why;  // mentioned, among_others
};

struct Found {
  std::map<std::string, std::uint64_t> events;       // by webhook_type
  std::map<std::string, std::uint64_t> quarantined;  // by reason
  std::vector<LeftRow> left;                         // the first thousand
  std::uint64_t left_count = 0;

  std::uint64_t event_count() const;
  std::uint64_t quarantined_count() const;
};

// One connection and one account; not for two coroutines at once.
class Search {
 public:
  Search(pg::Connection& connection, store::CustomersAccount account, std::string customer);

  // By which the person goes: what was asked for first, and what learn() has found.
  const std::set<std::string>& identifiers() const { return identifiers_; }

  // Whether what learn() has seen came to one of these: then it is the account's own number.
  bool is_business() const { return is_business_; }

  // Is told how many rows have been looked at.
  void on_progress(std::function<void(std::uint64_t rows)> told) { told_ = std::move(told); }

  // Looks in the rows for further identifiers of the same person, until there are no more; gives what is
  // theirs by all of them.
  boost::asio::awaitable<Found> learn();

  // Works through all rows once. The ids that are the person's are given in batches; what is done to them is
  // the caller's.
  using Take = std::function<boost::asio::awaitable<void>(std::vector<Uuid> ids)>;
  boost::asio::awaitable<Found> run(Take take_events, Take take_quarantined);

 private:
  enum class Verdict { none, theirs, mentioned, among_others };
  std::vector<std::string> fragments() const;
  parse::PersonFound look_into(std::string body);
  Verdict judge_event(const store::NamingRow& row);
  Verdict judge_quarantined(const store::NamingRow& row);
  enum class Place { events, quarantine };
  boost::asio::awaitable<void> look_through(Place place, Found& found, Take take);
  boost::asio::awaitable<store::NamingPage> next_page(Place place,
                                                      const std::optional<store::NamingPage>& after);

  pg::Connection& connection_;
  store::CustomersAccount account_;
  std::set<std::string> identifiers_;
  std::set<std::string> learned_;  // in the run that goes on
  bool is_business_ = false;
  parse::JsonChecker checker_;
  std::function<void(std::uint64_t rows)> told_;
};

}  // namespace socialsync::cli::customers
