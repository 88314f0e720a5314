// Keys of outbox rows as parameters of a statement.
#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "pg/statement.hpp"

namespace socialsync::store {

// The primary key of an outbox row.
struct DeliveryKey {
  Uuid event_id;
  Uuid endpoint_id;

  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

// Two parameters, $1::uuid[] and $2::uuid[].
class DeliveryKeys {
 public:
  DeliveryKeys() = default;
  // Sorted, as everywhere: two workers can then not deadlock.
  explicit DeliveryKeys(std::span<const DeliveryKey> keys) {
    std::vector<DeliveryKey> sorted(keys.begin(), keys.end());
    std::ranges::sort(sorted);
    for (const DeliveryKey& key : sorted) add(key);
  }

  void add(const DeliveryKey& key) {
    events_.add(key.event_id);
    endpoints_.add(key.endpoint_id);
    is_empty_ = false;
  }
  bool empty() const { return is_empty_; }
  pg::Statement statement(const char* name, const char* sql) && {
    pg::Statement statement{.name = name, .sql = sql};
    statement.with(std::move(events_)).with(std::move(endpoints_));
    return statement;
  }

 private:
  pg::Array events_{pg::Type::uuid}, endpoints_{pg::Type::uuid};
  bool is_empty_ = true;
};

}  // namespace socialsync::store
